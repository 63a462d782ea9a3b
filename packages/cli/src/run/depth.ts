// The options by which commands say how deep real KVM is looked into.

import type {KvmDepth} from '@hyperscope/kvm';
import {usage} from '../terminal/arguments.js';

export const DEPTH_OPTIONS = {
  'single-step': {value: undefined, help: 'Real KVM: record each instruction where this KVM can single-step.'},
  'inside-kvm': {
    value: undefined,
    help: 'Real KVM: record what KVM does without user space too: its tracepoints (for root, with tracefs mounted) and its counters.',
  },
} as const;

/** @throws UserError when both are asked for: a traced single step would show the stepping. */
export function depthOf(given: {has(option: keyof typeof DEPTH_OPTIONS): boolean}): KvmDepth {
  if (given.has('single-step') && given.has('inside-kvm'))
    throw usage('--single-step and --inside-kvm disturb each other: give one of them.');
  if (given.has('single-step')) return 'instructions';
  return given.has('inside-kvm') ? 'inside-kvm' : 'exits';
}
