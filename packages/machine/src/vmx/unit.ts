// VT-x as the core sees it: the places where a running guest may be left, and how.
// The unit has no state of its own; the snapshot of the controls is remade whenever the VMCS's page was written, so
// stepping back in a record needs no help from here.

import {assertExists} from '@hyperscope/base';
import {cellIndex} from '@hyperscope/isa';
import type {Core, ProcessorProfile, VirtualizationUnit} from '../cpu/core.js';
import {VMX_CAPABILITIES, readVmxCapabilityMsr} from './capabilities.js';
import type {VmxCapabilities} from './capabilities.js';
import {requiredCr0, visible, writable} from './control-register-rules.js';
import {Controls} from './controls.js';
import {walkEpt} from './ept-walk.js';
import {exceptionExit, interruptExit, taskSwitchExit, tripleFaultExit, windowExit} from './event-exits.js';
import {absentInGuest, interceptInstruction} from './intercepts.js';
import {cyclesUntilPreemption} from './guest-timing.js';
import {currentVmcs} from './outcome.js';
import {setVirtualTaskPriority, virtualTaskPriority} from './virtual-apic.js';
import {exitGuest} from './vm-exit.js';

const CURRENT_VMCS = cellIndex('CURRENT_VMCS');
const NON_ROOT = 2n;
const PAGE = 4096;

/** The VT-x of one machine. `profile` may carry capabilities of its own; `capabilities` is what it has otherwise. */
export function createVmxUnit(
  profile: ProcessorProfile,
  capabilities: VmxCapabilities = VMX_CAPABILITIES,
): VirtualizationUnit {
  const has = profile.vmx ?? capabilities;
  const controlsOf = snapshots();
  return {
    intercept: (core, instruction, intercept, args) =>
      absentInGuest(controlsOf(core), instruction, intercept) ??
      interceptInstruction({core, controls: controlsOf(core), instruction, args}, intercept),
    interceptException: (core, fault, raisedBy) => exceptionExit(core, controlsOf(core), fault, raisedBy),
    interceptInterrupt: (core, event) => interruptExit(core, controlsOf(core), event),
    pendingExit: core => windowExit(core, controlsOf(core)),
    translate: (core, address, access, references) =>
      walkEpt(core, controlsOf(core).eptPointer, address, access, references),
    usesEpt: core => controlsOf(core).usesEpt,
    tripleFault: tripleFaultExit,
    interceptTaskSwitch: taskSwitchExit,
    exit: exitGuest,
    visibleCr0: core => visible(core.registers.get('CR0'), controlsOf(core).cr0Mask, controlsOf(core).cr0Shadow),
    visibleCr4: core => visible(core.registers.get('CR4'), controlsOf(core).cr4Mask, controlsOf(core).cr4Shadow),
    writableCr0: (core, value) => writable(core.registers.get('CR0'), controlsOf(core).cr0Mask, value),
    writableCr4: (core, value) => writable(core.registers.get('CR4'), controlsOf(core).cr4Mask, value),
    requiredCr0: core =>
      requiredCr0(has, core.registers.get('VMX_OPERATION') === NON_ROOT ? controlsOf(core) : undefined),
    requiredCr4: () => has.cr4.must,
    hasVirtualNmis: core => controlsOf(core).pin('virtual NMIs'),
    keepsNmisBlocked: core => controlsOf(core).pin('NMI exiting') && !controlsOf(core).pin('virtual NMIs'),
    cyclesUntilExit: core => cyclesUntilPreemption(core, controlsOf(core)),
    readTaskPriority: core => {
      const controls = controlsOf(core);
      return controls.tprShadow ? virtualTaskPriority(core, controls) : undefined;
    },
    writeTaskPriority: (core, priority) => {
      const controls = controlsOf(core);
      return controls.tprShadow ? setVirtualTaskPriority(core, controls, priority) : 'physical';
    },
    readMsr: (_, index) => readVmxCapabilityMsr(has, index),
    visibleTimeStampCounter: core => guestTimeStamp(core, controlsOf(core)),
  };
}

/** The controls of the current VMCS, remade when its page changed or another VMCS became current. */
function snapshots(): (core: Core) => Controls {
  let controls: Controls | undefined;
  let version = -1;
  return core => {
    const pointer = assertExists(
      core.registers.cells[CURRENT_VMCS],
      'the register bank has a cell for the current VMCS',
    );
    const address = Number(pointer);
    const now = core.memory.pageVersions[address / PAGE] ?? -1;
    if (controls?.vmcs.address !== address || version !== now) {
      controls = new Controls(assertExists(currentVmcs(core), 'VMX non-root operation without a current VMCS'));
      version = now;
    }
    return controls;
  };
}

/** SDM vol. 3C, "Changes to Instruction Behavior in VMX Non-Root Operation", RDTSC. */
function guestTimeStamp(core: Core, controls: Controls): bigint {
  const counter = core.registers.get('TSC');
  if (!controls.primary('use TSC offsetting')) return counter;
  const scaled = controls.secondary('use TSC scaling')
    ? (counter * controls.vmcs.get('TSC_MULTIPLIER')) >> 48n
    : counter;
  return BigInt.asUintN(64, scaled + controls.vmcs.get('TSC_OFFSET'));
}
