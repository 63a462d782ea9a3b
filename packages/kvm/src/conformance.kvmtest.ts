// The conformance suite on real KVM: the same list that the simulated executors run. A case that would meet a quirk of
// this host must break its promise, and is then reported as skipped under the quirk's name; the fingerprint decides that.

import {CONFORMANCE_CASES, START, brokenPromises, runCaseOnVirtualMachine} from '@hyperscope/vmm';
import type {ConformanceCase} from '@hyperscope/vmm';
import {beforeAll, describe, expect, test} from 'vitest';
import {fingerprint} from './fingerprint.js';
import {KvmVirtualMachine} from './kvm-virtual-machine.js';
import {quirksOf} from './quirks.js';
import type {Quirk} from './quirks.js';
import {skipKvmTests} from './skip-kvm-tests.js';

describe.skipIf(skipKvmTests())('conformance on real KVM', {timeout: 30_000}, () => {
  let quirks: readonly Quirk[] = [];
  beforeAll(() => {
    const host = fingerprint();
    quirks = quirksOf(host);
    process.stderr.write(`[kvm] conformance runs on ${host.flavour}, Linux ${host.kernel}, ${host.vendor}\n`);
  });

  test.for(CONFORMANCE_CASES.map(promise => [promise.mode, promise.title, promise] as const))(
    '%s mode: %s',
    ([, , promise], {skip}) => {
      if (promise.devices === 'board') skip('this program gives real KVM no devices of a PC in user space');
      const broken = promisesBrokenOnKvm(promise);
      const met = quirks.find(({number}) => number !== undefined && promise.quirks?.includes(number) === true);
      if (met === undefined) {
        expect(broken).toEqual([]);
        return;
      }
      expect(broken, `this host shows the quirk ${met.id}, but keeps the promise: the case needs no quirk`).not.toEqual(
        [],
      );
      skip(`quirk ${met.id} (${met.number}): ${met.sentence}`);
    },
  );
});

function promisesBrokenOnKvm(promise: ConformanceCase): readonly string[] {
  const inKernel = promise.devices === 'irqchip';
  const machine = new KvmVirtualMachine({
    memoryBytes: START.memoryBytes,
    deadline: inKernel ? 300 : 2000,
    irqchip: inKernel ? 'kernel' : 'none',
  });
  try {
    const result = runCaseOnVirtualMachine(machine, promise);
    // With interrupt controllers in the kernel HLT sleeps there, until the deadline wakes KVM_RUN's caller.
    const asleep = result.ending === 'interrupted' && inKernel && machine.vcpu.isHalted;
    return brokenPromises(promise, asleep ? {...result, ending: 'hlt'} : result);
  } finally {
    machine.close();
  }
}
