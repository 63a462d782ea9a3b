// struct kvm_run as user space finds it when KVM_RUN has returned: the page that KVM and its user share, laid out by offset.
// Linux, include/uapi/linux/kvm.h, struct kvm_run; Documentation/virt/kvm/api.rst, "The kvm_run structure".

import {assertUnreachable, hex, hexBytes} from '@hyperscope/base';
import {kvmExitDetail, kvmExitDuty, kvmExitName, isDeprivileged, portName} from '@hyperscope/trace';
import type {CellSource, KvmRunContent, KvmRunPage, RunRecord} from '@hyperscope/trace';
import {KVM_RUN_PAGE, KVM_RUN_WINDOW} from '@hyperscope/vmm';
import type {VmExit} from '@hyperscope/vmm';
import {ioctlLoop} from './ioctl-loop.js';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';

type Row = KvmRunPage['rows'][number];

/** KVM_EXIT_*; uapi/linux/kvm.h. */
const NUMBERS: Readonly<Record<VmExit['reason'], number | undefined>> = {
  io: 2,
  hypercall: 3,
  debug: 4,
  hlt: 5,
  mmio: 6,
  'irq-window-open': 7,
  shutdown: 8,
  'fail-entry': 9,
  interrupted: 10,
  'set-tpr': 11,
  'internal-error': 17,
  rdmsr: 29,
  wrmsr: 30,
  unknown: undefined,
};
/** KVM_PIO_PAGE_OFFSET pages of 4 KiB: where the bytes of a port access lie. */
const PIO_DATA = 0x1000;
const MSR_CAUSES = {invalid: 1, unknown: 2, filter: 4} as const;

/** `cellsAt` gives the guest's registers at another state. */
export function kvmRunContent({record, index}: LookedAt, cellsAt: (state: number) => CellSource): Found<KvmRunContent> {
  const {technique, engine} = record.header;
  if (engine === 'simulated' && (technique === 'bare' || isDeprivileged(technique)))
    return nothing('No KVM is here: kvm_run is the page that KVM shares with its user space, under VT-x and SVM.');
  return found({loop: ioctlLoop(record, index), page: kvmRunPage(record, index, cellsAt)});
}

function kvmRunPage(record: RunRecord, index: number, cellsAt: (state: number) => CellSource): KvmRunPage | undefined {
  const last = lastExit(record, index);
  if (last === undefined) return undefined;
  const {exit, step, spent} = last;
  const reason = kvmExitName(exit);
  return {
    at: record.header.engine === 'kvm' ? undefined : {hva: KVM_RUN_WINDOW, hpa: KVM_RUN_PAGE},
    step,
    reason,
    spent,
    sentence: spent
      ? `KVM_RUN was called again since: this is what it left at its last return, in step ${step + 1}.`
      : `${reason}: ${kvmExitDetail(exit)}. ${kvmExitDuty(exit)}`,
    rows: [...head(exit, cellsAt(step + 1)), ...union(exit)],
  };
}

function lastExit(
  {events}: RunRecord,
  index: number,
): {readonly exit: VmExit; readonly step: number; readonly spent: boolean} | undefined {
  if (events.lastBefore('kvm-exit', index) === undefined) return undefined;
  let spent = false;
  for (let at = events.firstAt(index) - 1; at >= 0; at--) {
    const event = events.at(at);
    if (event?.kind === 'kvm-exit') return {exit: event.exit, step: events.stepOf(at), spent};
    if (event?.kind === 'vm-entry') spent = true;
  }
  return undefined;
}

function head(exit: VmExit, cells: CellSource): readonly Row[] {
  const number = exit.reason === 'unknown' ? exit.code : NUMBERS[exit.reason];
  const flag = ((cells('RFLAGS') ?? 0n) >> 9n) & 1n;
  return [
    {
      offset: 8,
      size: 4,
      name: 'exit_reason',
      value: String(number ?? 0),
      meaning: exit.reason === 'interrupted' ? 'KVM_EXIT_INTR; the ioctl itself gave −EINTR' : kvmExitName(exit),
      from: 'exit',
    },
    {
      offset: 13,
      size: 1,
      name: 'if_flag',
      value: String(flag),
      meaning: `the guest’s RFLAGS.IF: it ${flag === 1n ? 'takes' : 'does not take'} interrupts`,
      from: 'guest state',
    },
    {offset: 16, size: 8, name: 'cr8', value: hex(cells('CR8') ?? 0n), meaning: 'task priority', from: 'guest state'},
    {
      offset: 24,
      size: 8,
      name: 'apic_base',
      value: hex(cells('APIC_BASE') ?? 0n),
      meaning: 'IA32_APIC_BASE',
      from: 'guest state',
    },
  ];
}

/** The member of the union at byte 32 that the reason names. */
function union(exit: VmExit): readonly Row[] {
  switch (exit.reason) {
    case 'io':
      return ioRows(exit);
    case 'mmio':
      return [
        row(32, 8, 'mmio.phys_addr', hex(exit.gpa), 'guest-physical address that no memory slot covers'),
        row(
          40,
          8,
          'mmio.data',
          hexBytes(exit.data),
          exit.direction === 'write' ? 'what the guest writes' : 'to be filled by user space',
        ),
        row(48, 4, 'mmio.len', String(exit.data.length), 'bytes'),
        row(52, 1, 'mmio.is_write', exit.direction === 'write' ? '1' : '0', exit.direction),
      ];
    case 'hypercall':
      return [
        row(32, 8, 'hypercall.nr', hex(exit.number), 'the guest’s RAX'),
        ...exit.args.map((value, at) => row(40 + 8 * at, 8, `hypercall.args[${at}]`, hex(value), '')),
        row(88, 8, 'hypercall.ret', hexBytes(exit.data), 'what RAX gets; filled by user space'),
      ];
    case 'debug':
      return [
        row(32, 4, 'debug.arch.exception', String(exit.exception), exit.exception === 1 ? '#DB' : '#BP'),
        row(40, 8, 'debug.arch.pc', hex(exit.pc), 'linear address'),
        row(48, 8, 'debug.arch.dr6', hex(exit.dr6), ''),
      ];
    case 'rdmsr':
    case 'wrmsr':
      return [
        row(32, 1, 'msr.error', '0', 'user space sets 1 to give the guest #GP'),
        row(40, 4, 'msr.reason', String(MSR_CAUSES[exit.cause]), exit.cause),
        row(44, 4, 'msr.index', hex(exit.index), ''),
        row(
          48,
          8,
          'msr.data',
          hex(exit.value),
          exit.reason === 'wrmsr' ? 'what the guest writes' : 'to be filled by user space',
        ),
      ];
    case 'fail-entry':
      return [
        row(32, 8, 'fail_entry.hardware_entry_failure_reason', hex(exit.hardwareReason), 'the processor’s own number'),
      ];
    case 'internal-error':
      return [
        row(32, 4, 'internal.suberror', String(exit.suberror), ''),
        ...(exit.instruction === undefined
          ? []
          : [
              row(
                49,
                15,
                'emulation_failure.insn_bytes',
                hexBytes(exit.instruction),
                'the instruction that KVM could not emulate',
              ),
            ]),
      ];
    case 'hlt':
    case 'shutdown':
    case 'irq-window-open':
    case 'set-tpr':
    case 'interrupted':
    case 'unknown':
      return [];
    default:
      return assertUnreachable(exit);
  }
}

function ioRows(exit: Extract<VmExit, {reason: 'io'}>): readonly Row[] {
  const bytes = exit.width / 8;
  return [
    row(
      32,
      1,
      'io.direction',
      exit.direction === 'out' ? '1' : '0',
      exit.direction === 'out' ? 'KVM_EXIT_IO_OUT' : 'KVM_EXIT_IO_IN',
    ),
    row(33, 1, 'io.size', String(bytes), `byte${bytes === 1 ? '' : 's'} an access`),
    row(34, 2, 'io.port', hex(exit.port), portName(exit.port) ?? ''),
    row(36, 4, 'io.count', String(exit.count), exit.count === 1 ? 'one access' : 'accesses of a string instruction'),
    {
      offset: 40,
      size: 8,
      name: 'io.data_offset',
      value: hex(PIO_DATA),
      meaning: 'where the bytes lie, from the start of kvm_run',
      from: 'layout',
    },
    row(
      PIO_DATA,
      exit.data.length,
      'data',
      dataText(exit.data),
      exit.direction === 'out' ? 'what the guest puts out' : 'to be filled by user space',
    ),
  ];
}

/** Bytes, and as characters where they are some. */
function dataText(data: Uint8Array): string {
  const shown = data.subarray(0, 16);
  const text = [...shown].every(byte => byte >= 32 && byte < 127) ? ` “${String.fromCharCode(...shown)}”` : '';
  return `${hexBytes(shown)}${data.length > shown.length ? ' …' : ''}${text}`;
}

const row = (offset: number, size: number, name: string, value: string, meaning: string): Row => ({
  offset,
  size,
  name,
  value,
  meaning,
  from: 'exit',
});
