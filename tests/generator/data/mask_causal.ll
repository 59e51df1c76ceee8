define internal zeroext i1 @attentune_visible(i64 %i, i64 %j, ptr %arguments) alwaysinline nounwind {
  %causal.0 = icmp sle i64 %j, %i
  ret i1 %causal.0
}

define internal i32 @attentune_classify(i64 %i_first, i64 %i_last, i64 %j_first, i64 %j_last, ptr %arguments) alwaysinline nounwind {
  %some.0 = icmp sle i64 %j_first, %i_last
  %every.1 = icmp sle i64 %j_last, %i_first
  %low.2 = zext i1 %some.0 to i32
  %high.3 = zext i1 %every.1 to i32
  %class.4 = add nuw nsw i32 %low.2, %high.3
  ret i32 %class.4
}
