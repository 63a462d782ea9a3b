// NMIs of a guest. SVM's processor does not tell when a guest's handler is done with one, so KVM watches for its IRET: from
// the injection of an NMI on IRET is intercepted, and NMIs count as masked. An intercept comes before the instruction, so where
// another NMI waits, the guest is then stepped over the IRET with RFLAGS.TF, and the #DB says that it is done.
// Linux, arch/x86/kvm/svm/svm.c: svm_inject_nmi, iret_interception, svm_enable_nmi_window, db_interception.

import {hex} from '@hyperscope/base';
import type {StepResult} from '../../host/host-program.js';
import {injectException} from '../guest-registers.js';
import type {SvmHardware} from './svm-hardware.js';
import {setExceptionIntercept, setIntercept} from './vmcb-controls.js';

const DB = 1;
const TF_RF = (1n << 8n) | (1n << 16n);
const TF = 1n << 8n;
/** DR6.BS. */
const SINGLE_STEP = 1n << 14n;

/** With the injection of an NMI: until IRET there must not be another. */
export function maskNmi({state, vmcb}: SvmHardware): string {
  state.svm.set('nmi_masked', 1n);
  setIntercept(vmcb, 'IRET', 'on');
  return 'NMIs are masked until the guest’s IRET, which is intercepted';
}

/** The guest is to exit when it can take an NMI. */
export function requestNmiWindow(hardware: SvmHardware, wanted: 'on' | 'off'): string {
  const {svm} = hardware.state;
  if (wanted === 'off') return 'the NMI window is no longer waited for';
  if (svm.get('nmi_masked') !== 0n && svm.get('awaiting_iret_completion') === 0n)
    return 'the IRET intercept will tell when the handler is done';
  return stepOver(hardware);
}

/** RFLAGS.TF steps over the one instruction that still shields. */
function stepOver({state, vmcb}: SvmHardware): string {
  const flags = vmcb.get('RFLAGS');
  if (state.svm.get('nmi_singlestep') === 0n) state.svm.set('nmi_singlestep_guest_rflags', flags & TF_RF);
  state.svm.set('nmi_singlestep', 1n);
  vmcb.set('RFLAGS', flags | TF_RF);
  setExceptionIntercept(vmcb, DB, 'on');
  return 'RFLAGS.TF ← 1, #DB intercept ← 1: the guest is stepped over one instruction';
}

/** IRET, not yet executed. */
export function interceptIret(hardware: SvmHardware): StepResult {
  const {host, state, vmcb} = hardware;
  const rip = vmcb.get('RIP');
  setIntercept(vmcb, 'IRET', 'off');
  state.svm.set('awaiting_iret_completion', 1n);
  state.svm.set('nmi_iret_rip', rip);
  const waits = host.vcpu.get('nmi_pending') !== 0n;
  const next = waits ? `; another NMI waits: ${stepOver(hardware)}` : '; no NMI waits, so the guest goes on';
  host.handled('kvm', 'the guest’s NMI handler ends with this IRET: NMIs are unmasked when it has been executed');
  return {say: `IRET at guest RIP ${hex(rip)}: IRET intercept ← 0${next}`, go: 'vcpu_enter_guest'};
}

/** At each exit: an IRET that was let through has been executed once RIP is elsewhere. */
export function completeIret({state, vmcb}: SvmHardware): string {
  const {svm} = state;
  if (svm.get('awaiting_iret_completion') === 0n || vmcb.get('RIP') === svm.get('nmi_iret_rip')) return '';
  svm.set('awaiting_iret_completion', 0n);
  svm.set('nmi_masked', 0n);
  return '; the guest’s IRET is done, NMIs are unmasked';
}

/** #DB while the guest is stepped: KVM's own, and the guest's as well where it had set TF itself. */
export function interceptDebug(hardware: SvmHardware): StepResult {
  const {host, state, vmcb} = hardware;
  const isOurs = state.svm.get('nmi_singlestep') !== 0n;
  const guests = state.svm.get('nmi_singlestep_guest_rflags');
  if (isOurs) {
    state.svm.set('nmi_singlestep', 0n);
    const flags = vmcb.get('RFLAGS');
    vmcb.set('RFLAGS', flags & ~(TF_RF & ~guests));
    setExceptionIntercept(vmcb, DB, 'off');
  }
  if (isOurs && (guests & TF) === 0n) {
    return {
      say: 'the step that KVM asked for is done: RFLAGS.TF ← 0, #DB intercept ← 0; the guest never hears of it',
      go: 'handle_nmi_window',
    };
  }
  vmcb.set('DR6', vmcb.get('DR6') | SINGLE_STEP);
  injectException(host, DB);
  host.handled('kvm', '#DB is the guest’s own: it is injected back');
  return {say: '#DB is the guest’s own single step: DR6.BS ← 1, and the next VMRUN injects it', go: 'vcpu_enter_guest'};
}
