// The VM-entry doctor at the playhead: what VMLAUNCH, VMRESUME or VMRUN would say to the control block as it stands. The checks are
// the processor's own, made on a machine that holds this state and runs nothing.

import {Machine, NEHALEM_COSTS, examineVmcb, examineVmcs, profileById} from '@hyperscope/machine';
import type {CheckedGroup} from '@hyperscope/machine';
import type {EntryCheckContent} from '@hyperscope/trace';
import type {StateView} from '../state-view.js';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';

/** A machine that is given the state of a record again and again; made at the first examination. */
export class DoctorsMachine {
  #machine: Machine | undefined;

  with(profileId: string, state: StateView): Machine | undefined {
    const profile = profileById(profileId);
    if (profile === undefined) return undefined;
    this.#machine ??= new Machine({
      memoryBytes: state.memory.length,
      profile,
      costModel: NEHALEM_COSTS,
      executor: 'reference',
    });
    this.#machine.memory.bytes.set(state.memory);
    this.#machine.registers.cells.set(state.registers.subarray(0, this.#machine.registers.cells.length));
    return this.#machine;
  }
}

export function entryCheckContent({record, state}: LookedAt, doctor: DoctorsMachine): Found<EntryCheckContent> {
  if (record.header.engine === 'kvm')
    return nothing('The VMCS of a run on real KVM stays inside KVM: there is nothing to examine.');
  const [vmcs, vmcb] = [state.vmcsAddress, state.vmcbAddress];
  const isSvm = vmcb !== undefined;
  const address = vmcb ?? vmcs;
  if (address === undefined) return nothing('There is no current VMCS, and no VMCB: nothing could be entered.');
  const machine = doctor.with(record.header.machine?.profile ?? '', state);
  if (machine === undefined)
    return nothing('The processor of this record was put together by hand; the doctor knows the named ones.');
  const groups = isSvm ? examineVmcb(machine, address) : examineVmcs(machine, address);
  const how = isSvm ? 'VMRUN' : state.vmcs()?.launchState === 'launched' ? 'VMRESUME' : 'VMLAUNCH';
  return found(contentOf(how, groups));
}

function contentOf(how: string, groups: readonly CheckedGroup[]): EntryCheckContent {
  const made = groups.reduce((sum, group) => sum + group.checks.length, 0);
  const failures = groups.flatMap(group => group.checks.filter(check => !check.holds)).length;
  return {
    how,
    verdict: failures === 0 ? 'enters' : 'refused',
    sentence:
      failures === 0
        ? `${how} would enter the guest: all ${made} checks hold.`
        : `${how} would be refused: ${failures} of ${made} checks ${failures === 1 ? 'does' : 'do'} not hold.`,
    groups: groups.map(({title, checks}) => ({
      title,
      made: checks.length,
      failed: checks
        .filter(check => !check.holds)
        .map(({rule, values, source, cause}) => ({rule, values, source, cause})),
    })),
  };
}
