// How fast the VMX-preemption timer runs: a property of the processor that its capability MSR tells.

/** IA32_VMX_MISC[4:0]: the timer counts down once each time this bit of the time-stamp counter changes. */
export const PREEMPTION_TIMER_RATE = 5;
