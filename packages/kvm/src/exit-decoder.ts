// Reads a VmExit out of kvm_run. `data` of an I/O or MMIO exit is the shared page itself: what a device puts there
// before the next KVM_RUN is what the guest reads.

import {gpa} from '@hyperscope/base';
import type {VmExit} from '@hyperscope/vmm';
import {KVM_EXIT, KVM_MSR_EXIT_REASON} from './kvm-abi.js';
import {LAYOUT} from './kvm-layout.js';

/** What KVM_RUN came back for, when it returned 0. `run` covers the whole area that the vCPU shares. */
export function decodeExit(run: DataView): VmExit {
  const code = run.getUint32(LAYOUT['kvm_run.exit_reason'], true);
  switch (code) {
    case KVM_EXIT.IO:
      return decodeIo(run);
    case KVM_EXIT.MMIO:
      return decodeMmio(run);
    case KVM_EXIT.HLT:
      return {reason: 'hlt'};
    case KVM_EXIT.SHUTDOWN:
      return {reason: 'shutdown'};
    case KVM_EXIT.IRQ_WINDOW_OPEN:
      return {reason: 'irq-window-open'};
    case KVM_EXIT.SET_TPR:
      return {reason: 'set-tpr'};
    case KVM_EXIT.INTR:
      return {reason: 'interrupted'};
    case KVM_EXIT.DEBUG:
      return {
        reason: 'debug',
        exception: run.getUint32(LAYOUT['kvm_run.debug.exception'], true),
        pc: run.getBigUint64(LAYOUT['kvm_run.debug.pc'], true),
        dr6: run.getBigUint64(LAYOUT['kvm_run.debug.dr6'], true),
      };
    case KVM_EXIT.X86_RDMSR:
      return decodeMsr(run, 'rdmsr');
    case KVM_EXIT.X86_WRMSR:
      return decodeMsr(run, 'wrmsr');
    case KVM_EXIT.FAIL_ENTRY:
      return {
        reason: 'fail-entry',
        hardwareReason: run.getBigUint64(LAYOUT['kvm_run.fail_entry.reason'], true),
      };
    case KVM_EXIT.INTERNAL_ERROR:
      return decodeInternalError(run);
    default:
      return {reason: 'unknown', code};
  }
}

function shared(run: DataView, offset: number, length: number): Uint8Array {
  return new Uint8Array(run.buffer, run.byteOffset + offset, length);
}

function decodeIo(run: DataView): VmExit {
  const bytes = run.getUint8(LAYOUT['kvm_run.io.size']);
  const count = run.getUint32(LAYOUT['kvm_run.io.count'], true);
  const offset = Number(run.getBigUint64(LAYOUT['kvm_run.io.data_offset'], true));
  return {
    reason: 'io',
    direction: run.getUint8(LAYOUT['kvm_run.io.direction']) === 0 ? 'in' : 'out',
    port: run.getUint16(LAYOUT['kvm_run.io.port'], true),
    width: bytes === 1 ? 8 : bytes === 2 ? 16 : 32,
    count,
    data: shared(run, offset, bytes * count),
  };
}

function decodeMmio(run: DataView): VmExit {
  return {
    reason: 'mmio',
    direction: run.getUint8(LAYOUT['kvm_run.mmio.is_write']) === 0 ? 'read' : 'write',
    gpa: gpa(Number(run.getBigUint64(LAYOUT['kvm_run.mmio.phys_addr'], true))),
    data: shared(run, LAYOUT['kvm_run.mmio.data'], run.getUint32(LAYOUT['kvm_run.mmio.len'], true)),
  };
}

function decodeMsr(run: DataView, reason: 'rdmsr' | 'wrmsr'): VmExit {
  const cause = run.getUint32(LAYOUT['kvm_run.msr.reason'], true);
  return {
    reason,
    index: run.getUint32(LAYOUT['kvm_run.msr.index'], true),
    value: run.getBigUint64(LAYOUT['kvm_run.msr.data'], true),
    cause:
      cause === KVM_MSR_EXIT_REASON.FILTER ? 'filter' : cause === KVM_MSR_EXIT_REASON.UNKNOWN ? 'unknown' : 'invalid',
  };
}

function decodeInternalError(run: DataView): VmExit {
  const suberror = run.getUint32(LAYOUT['kvm_run.internal.suberror'], true);
  // KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES says that size and bytes are there.
  const hasBytes =
    run.getUint32(LAYOUT['kvm_run.internal.ndata'], true) >= 3 &&
    (run.getBigUint64(LAYOUT['kvm_run.emulation_failure.flags'], true) & 1n) === 1n;
  const size = Math.min(15, run.getUint8(LAYOUT['kvm_run.emulation_failure.insn_size']));
  const instruction =
    suberror === 1 && hasBytes ? shared(run, LAYOUT['kvm_run.emulation_failure.insn_bytes'], size).slice() : undefined;
  return {reason: 'internal-error', suberror, instruction};
}

/** The exit with data of its own, which the next KVM_RUN does not overwrite: what a record keeps. */
export function copyExit(exit: VmExit): VmExit {
  return exit.reason === 'io' || exit.reason === 'mmio' ? {...exit, data: exit.data.slice()} : exit;
}
