// The TPR shadow: with it CR8 of a guest is no register, but four bits of a page that its hypervisor gave it. Reading them and
// writing them costs no exit; only a task priority that falls below the hypervisor's threshold does, because an interrupt
// that was held back may now be due. SDM vol. 3C, "Virtualizing CR8-Based TPR Accesses", "TPR Virtualization".
//
//   virtual-APIC page + 80h   VTPR: 7:4 the task priority · everything else is cleared by MOV to CR8

import {hex, hpa} from '@hyperscope/base';
import type {Core} from '../cpu/core.js';
import {check} from '../cpu/faults.js';
import type {VmExitInformation} from '../observer.js';
import type {Controls} from './controls.js';
import {exitInformation} from './exit-information.js';

const SOURCE = 'SDM vol. 3C, "TPR Virtualization"';
const VTPR = 0x80;

const vtprAddress = (controls: Controls): number => Number(controls.vmcs.get('VIRTUAL_APIC_ADDRESS')) + VTPR;

/** VTPR[7:4]: what MOV from CR8 gives. */
export function virtualTaskPriority(core: Core, controls: Controls): bigint {
  return (core.memory.read(hpa(vtprAddress(controls)), 4) >> 4n) & 0xfn;
}

/** MOV to CR8, its value found good. The exit, where there is one, follows the instruction like a trap. */
export function setVirtualTaskPriority(
  core: Core,
  controls: Controls,
  priority: bigint,
): VmExitInformation | 'virtual' {
  core.memory.write(hpa(vtprAddress(controls)), 4, priority << 4n);
  const threshold = controls.vmcs.get('TPR_THRESHOLD') & 0xfn;
  if (priority >= threshold) return 'virtual';
  const checks = [
    check('use TPR shadow = 1', true, [['primary processor-based controls', hex(controls.primaryWord)]], SOURCE),
    check(
      'VTPR[7:4] < TPR threshold',
      true,
      [
        ['VTPR[7:4]', hex(priority)],
        ['TPR threshold', hex(threshold)],
      ],
      SOURCE,
    ),
  ];
  return exitInformation('TPR_THRESHOLD', core.registers.get('RIP'), checks);
}
