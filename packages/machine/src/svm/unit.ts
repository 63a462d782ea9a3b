// SVM as the core sees it: the places where a running guest may be left, and how. Like its VT-x counterpart it has no state of
// its own: the controls are read anew whenever the VMCB's page was written.

import type {Core, VirtualizationUnit} from '../cpu/core.js';
import {heldVmcb} from './clean-bits.js';
import {SvmControls} from './controls.js';
import {
  exceptionExit,
  interruptExit,
  physicalInterruptsOpen,
  shutdownExit,
  taskSwitchExit,
  virtualInterruptExit,
  virtualInterruptReady,
} from './event-exits.js';
import {interceptInstruction} from './intercepts.js';
import {walkNestedTables} from './npt-walk.js';
import {acknowledgeVirtualInterrupt, currentVmcb, leaveGuest, setVirtualTaskPriority} from './world-switch.js';

const PAGE = 4096;
const GUEST = 2n;

/** The SVM of one machine. */
export function createSvmUnit(): VirtualizationUnit {
  const controlsOf = snapshots();
  return {
    feature: 'svm',
    intercept: (core, instruction, intercept, args) =>
      interceptInstruction({core, controls: controlsOf(core), instruction, args}, intercept),
    interceptException: (core, fault) => exceptionExit(core, controlsOf(core), fault),
    interceptInterrupt: (core, event) => interruptExit(core, controlsOf(core), event),
    holdsInterrupt: (core, event) => holdsInterrupt(core, event.type === 'NMI', controlsOf),
    pendingExit: core => virtualInterruptExit(core, controlsOf(core)),
    pendingInterrupt: core => {
      const controls = controlsOf(core);
      if (!virtualInterruptReady(core, controls)) return undefined;
      const vector = controls.virtualVector;
      acknowledgeVirtualInterrupt(core);
      return {type: 'external-interrupt', vector, errorCode: undefined, returnRip: core.registers.get('RIP')};
    },
    hasPendingInterrupt: core => virtualInterruptReady(core, controlsOf(core)),
    translate: (core, address, access, references) =>
      walkNestedTables(core, controlsOf(core).nestedRoot, address, access, references),
    usesEpt: core => controlsOf(core).nestedPaging,
    tripleFault: core => shutdownExit(core, controlsOf(core)),
    interceptTaskSwitch: (core, wanted) => taskSwitchExit(core, controlsOf(core), wanted),
    exit: leaveGuest,
    // A guest reads and writes its real control registers: what a hypervisor wants to keep from it, it intercepts.
    visibleCr0: core => core.registers.get('CR0'),
    visibleCr4: core => core.registers.get('CR4'),
    requiredCr0: () => 0n,
    requiredCr4: () => 0n,
    // V_INTR_MASKING gives the guest a CR8 of its own, V_TPR; the physical one stays the host's.
    readTaskPriority: core => (controlsOf(core).virtualMasking ? BigInt(controlsOf(core).virtualTpr) : undefined),
    writeTaskPriority: (core, priority) => {
      if (!controlsOf(core).virtualMasking) return 'physical';
      setVirtualTaskPriority(core, priority);
      return 'virtual';
    },
    visibleTimeStampCounter: core => BigInt.asUintN(64, core.registers.get('TSC') + controlsOf(core).tscOffset),
  };
}

/** GIF = 0 holds everything off, in host and guest; V_INTR_MASKING puts the host's IF in the place of the guest's. */
function holdsInterrupt(core: Core, isNmi: boolean, controlsOf: (core: Core) => SvmControls): boolean {
  if (core.registers.get('GIF') === 0n) return true;
  if (isNmi || core.registers.get('VMX_OPERATION') !== GUEST) return false;
  const controls = controlsOf(core);
  return controls.virtualMasking && !physicalInterruptsOpen(core, controls);
}

/** The controls of the running guest, read again when the VMCB's page changed or another VMCB became current. */
function snapshots(): (core: Core) => SvmControls {
  let controls: SvmControls | undefined;
  let version = -1;
  return core => {
    const vmcb = heldVmcb(core, currentVmcb(core));
    const now = core.memory.pageVersions[vmcb.address / PAGE] ?? -1;
    if (controls?.vmcb.address !== vmcb.address || version !== now) {
      controls = new SvmControls(vmcb);
      version = now;
    }
    return controls;
  };
}
