// What each of several virtual machines was charged for so far: the control program's own accounts, read from its memory at the playhead.

import {hpa} from '@hyperscope/base';
import type {StatisticsContent} from '@hyperscope/trace';
import {VmBlock, accountOf} from '@hyperscope/vmm';
import type {LookedAt} from './looked-at.js';

type Group = StatisticsContent['groups'][number];

/** A group for each; none where there is one machine. */
export function machineAccounts({record, state}: LookedAt): readonly Group[] {
  const memory = new DataView(state.memory.buffer, state.memory.byteOffset, state.memory.length);
  const read = (at: number, bytes: number): bigint => {
    if (at + bytes > memory.byteLength) return 0n;
    return bytes === 8 ? memory.getBigUint64(at, true) : BigInt(memory.getUint8(at));
  };
  return (record.header.virtualMachines ?? []).map(({name}, index) => {
    const account = accountOf(new VmBlock((at, bytes) => read(hpa(at), bytes), index));
    const counter = (what: string, value: number, meaning: string): Group['counters'][number] => ({
      name: what,
      value,
      meaning,
    });
    return {
      title: `Account of ${name}`,
      counters: [
        counter('own cycles', account.virtualCycles, 'in which its code ran'),
        counter('cycles for it', account.hypervisorCycles, 'in which the control program worked for it'),
        counter('dispatches', account.dispatches, 'times that it got the processor'),
        counter('slices used up', account.preempted, 'and lost it to the slice timer'),
        counter('waits', account.waits, 'times that it gave the processor up by HLT'),
        counter('DIAGNOSEs', account.calls, 'calls of the control program'),
        ...Object.entries(account.traps).map(([trap, count]) => counter(trap, count, 'ways into the control program')),
      ],
    };
  });
}
