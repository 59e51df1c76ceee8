// Ping-pong: consumer warpgroups issue their products in turns, so that while one's run, the others are at their
// softmax (FlashAttention-3, Shah et al. 2024, section 3.1). Without TAKE_TURNS all of it is nothing.

INLINE void wait_turn(int consumer) {
  if constexpr (TAKE_TURNS) {
    if (consumer == 0) {
      wait_named<TURN_OF_CONSUMER_0>();
    } else if (CONSUMERS == 2 || consumer == 1) {
      wait_named<TURN_OF_CONSUMER_1>();
    } else {
      wait_named<TURN_OF_CONSUMER_2>();
    }
  }
}

// The turn goes round: 0, 1, ... and 0 again.
INLINE void pass_turn(int consumer) {
  if constexpr (TAKE_TURNS) {
    if (consumer == CONSUMERS - 1) {
      arrive_named<TURN_OF_CONSUMER_0>();
    } else if (CONSUMERS == 2 || consumer == 0) {
      arrive_named<TURN_OF_CONSUMER_1>();
    } else {
      arrive_named<TURN_OF_CONSUMER_2>();
    }
  }
}

// The first turn is consumer 0's, as if the last one had just passed it on.
INLINE void begin_turns(int consumer) {
  if (consumer == CONSUMERS - 1) {
    pass_turn(consumer);
  }
}

// All have had as many turns; the one passed to consumer 0 at the end is taken, for no barrier may stay half complete.
INLINE void end_turns(int consumer) {
  if (consumer == 0) {
    wait_turn(consumer);
  }
}
