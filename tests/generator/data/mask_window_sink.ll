define internal zeroext i1 @attentune_visible(i64 %i, i64 %j, ptr %arguments) alwaysinline nounwind {
  %causal.0 = icmp sle i64 %j, %i
  %slot.1 = getelementptr inbounds i64, ptr %arguments, i64 0
  %argument.2 = load i64, ptr %slot.1, align 8
  %left.3 = sub i64 0, %argument.2
  %slot.4 = getelementptr inbounds i64, ptr %arguments, i64 1
  %argument.5 = load i64, ptr %slot.4, align 8
  %distance.6 = sub i64 %j, %i
  %after.7 = icmp sge i64 %distance.6, %left.3
  %before.8 = icmp sle i64 %distance.6, %argument.5
  %window.9 = and i1 %after.7, %before.8
  %slot.10 = getelementptr inbounds i64, ptr %arguments, i64 2
  %argument.11 = load i64, ptr %slot.10, align 8
  %sink.12 = icmp slt i64 %j, %argument.11
  %either.13 = or i1 %window.9, %sink.12
  %both.14 = and i1 %causal.0, %either.13
  ret i1 %both.14
}

define internal i32 @attentune_classify(i64 %i_first, i64 %i_last, i64 %j_first, i64 %j_last, ptr %arguments) alwaysinline nounwind {
  %some.0 = icmp sle i64 %j_first, %i_last
  %every.1 = icmp sle i64 %j_last, %i_first
  %low.2 = zext i1 %some.0 to i32
  %high.3 = zext i1 %every.1 to i32
  %class.4 = add nuw nsw i32 %low.2, %high.3
  %slot.5 = getelementptr inbounds i64, ptr %arguments, i64 0
  %argument.6 = load i64, ptr %slot.5, align 8
  %left.7 = sub i64 0, %argument.6
  %slot.8 = getelementptr inbounds i64, ptr %arguments, i64 1
  %argument.9 = load i64, ptr %slot.8, align 8
  %first.10 = sub i64 %j_first, %i_last
  %last.11 = sub i64 %j_last, %i_first
  %some_after.12 = icmp sle i64 %left.7, %last.11
  %some_before.13 = icmp sle i64 %first.10, %argument.9
  %some.14 = and i1 %some_after.12, %some_before.13
  %every_after.15 = icmp sle i64 %left.7, %first.10
  %every_before.16 = icmp sle i64 %last.11, %argument.9
  %every.17 = and i1 %every_after.15, %every_before.16
  %low.18 = zext i1 %some.14 to i32
  %high.19 = zext i1 %every.17 to i32
  %class.20 = add nuw nsw i32 %low.18, %high.19
  %slot.21 = getelementptr inbounds i64, ptr %arguments, i64 2
  %argument.22 = load i64, ptr %slot.21, align 8
  %some.23 = icmp slt i64 %j_first, %argument.22
  %every.24 = icmp slt i64 %j_last, %argument.22
  %low.25 = zext i1 %some.23 to i32
  %high.26 = zext i1 %every.24 to i32
  %class.27 = add nuw nsw i32 %low.25, %high.26
  %chosen.28 = icmp ugt i32 %class.20, %class.27
  %either.29 = select i1 %chosen.28, i32 %class.20, i32 %class.27
  %chosen.30 = icmp ult i32 %class.4, %either.29
  %both.31 = select i1 %chosen.30, i32 %class.4, i32 %either.29
  ret i32 %both.31
}
