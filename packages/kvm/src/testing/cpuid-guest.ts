// A guest whose one deed KVM answers by itself: CPUID, then HLT.

import {performance} from 'node:perf_hooks';
import {gpa} from '@hyperscope/base';
import type {GuestImage, HypervisorEvent} from '@hyperscope/vmm';
import {KvmSession} from '../kvm-session.js';

/** Real mode: xor eax, eax; cpuid; hlt. */
const CPUID_GUEST: GuestImage = {
  memoryBytes: 1 << 20,
  segments: [{gpa: gpa(0x1000), bytes: Uint8Array.of(0x66, 0x31, 0xc0, 0x0f, 0xa2, 0xf4)}],
  registers: {RIP: 0x1000n, 'CS.selector': 0n, 'CS.base': 0n},
};

type InsideKvm = Extract<HypervisorEvent, {kind: 'inside-kvm'}>;

/** What a run of it tells of KVM's inside, and why it is not traced, where it is not. */
export function insideEvents(): {readonly events: readonly InsideKvm[]; readonly untraced: string | undefined} {
  const session = new KvmSession({
    image: CPUID_GUEST,
    ports: {exitPort: undefined, powerOffPort: undefined, capturePorts: []},
    limits: {milliseconds: 5000, exits: 10, steps: 10},
    singleStep: 'off',
    insideKvm: 'told',
    quirks: {cpl3_step: undefined},
    clock: performance,
  });
  try {
    const events: InsideKvm[] = [];
    while (session.outcome === undefined)
      for (const event of session.step().events) if (event.kind === 'inside-kvm') events.push(event);
    return {events, untraced: session.untraced};
  } finally {
    session.close();
  }
}
