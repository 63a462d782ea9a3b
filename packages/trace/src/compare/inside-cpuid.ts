// The third depth: what KVM answers without user space. CPUID shows to nobody outside, but the kernel traces it (kvm_cpuid), and the
// simulated KVM's exits tell it, too: both guests must have asked for the same leaves in the same order.

import {exitTitle} from '@hyperscope/isa';
import type {Playhead} from '../record/playhead.js';
import type {RunRecord} from '../record/run-record.js';
import type {GuestView} from './guest-registers.js';

const STATISTICS = 'statistics';
const TRACEPOINT = 'kvm_cpuid';

/** A leaf of CPUID that a guest asked for, and the step in which KVM answered. */
export interface AskedLeaf {
  readonly leaf: number;
  readonly step: number;
}

/** Where two runs asked differently; a side without a leaf had no more. */
export interface CpuidDifference {
  readonly simulated: AskedLeaf | undefined;
  readonly real: AskedLeaf | undefined;
}

/** Undefined where real KVM was not traced, or the simulated run has no exits. */
export function cpuidDifference(simulated: Playhead, real: RunRecord, view: GuestView): CpuidDifference | undefined {
  const traced = tracedLeaves(real);
  if (traced === undefined || simulated.record.events.firstOfKind('vm-exit', 0) === undefined) return undefined;
  const asked = askedLeaves(simulated, view);
  let next = 0;
  for (const found of traced) {
    if (found.leaf === asked[next]?.leaf) next++;
    // KVM's emulator itself looks at leaf 0, for what its instructions are on this vendor's processors.
    else if (found.leaf !== 0) return {simulated: asked[next], real: found};
  }
  return next < asked.length ? {simulated: asked[next], real: undefined} : undefined;
}

function tracedLeaves(real: RunRecord): readonly AskedLeaf[] | undefined {
  let isTraced = false;
  const leaves: AskedLeaf[] = [];
  for (const {step, event} of real.events.allOf('inside-kvm')) {
    if (event.name !== STATISTICS) isTraced = true;
    const leaf = event.name === TRACEPOINT ? /\bfunction (0x[0-9a-f]+)/.exec(event.text)?.[1] : undefined;
    if (leaf !== undefined) leaves.push({leaf: Number(leaf), step});
  }
  return isTraced ? leaves : undefined;
}

function askedLeaves(playhead: Playhead, view: GuestView): readonly AskedLeaf[] {
  const leaves: AskedLeaf[] = [];
  for (const {step, event} of playhead.record.events.allOf('vm-exit')) {
    if (exitTitle(event.exit) !== 'CPUID') continue;
    playhead.seek(step);
    leaves.push({leaf: Number((view(playhead)('RAX') ?? 0n) & 0xffff_ffffn), step});
  }
  return leaves;
}
