// The loop of a user-space VMM: which ioctls it has called on which of KVM's files, and which exits of the guest came up to it.
// Which ioctl belongs to which file: Linux, Documentation/virt/kvm/api.rst, "Type:" of each; the files' names: virt/kvm/kvm_main.c,
// kvm_dev_ioctl_create_vm and create_vcpu_fd.

import type {IoctlLoop, RunRecord} from '@hyperscope/trace';

type Level = IoctlLoop['files'][number]['level'];
type Calls = IoctlLoop['files'][number]['calls'];

const SYSTEM = ['KVM_GET_API_VERSION', 'KVM_CREATE_VM', 'KVM_CHECK_EXTENSION', 'KVM_GET_VCPU_MMAP_SIZE'];
const VM = [
  'KVM_CREATE_VCPU',
  'KVM_SET_USER_MEMORY_REGION',
  'KVM_SET_TSS_ADDR',
  'KVM_CREATE_IRQCHIP',
  'KVM_CREATE_PIT2',
  'KVM_IRQ_LINE',
  'KVM_REGISTER_COALESCED_MMIO',
];
const FILES = [
  {level: 'system', name: '/dev/kvm', madeBy: undefined},
  {level: 'VM', name: 'anon_inode:kvm-vm', madeBy: 'KVM_CREATE_VM'},
  {level: 'vCPU', name: 'anon_inode:kvm-vcpu:0', madeBy: 'KVM_CREATE_VCPU'},
] as const;

/** The file on which an ioctl is called. */
const levelOf = (ioctl: string): Level => (SYSTEM.includes(ioctl) ? 'system' : VM.includes(ioctl) ? 'VM' : 'vCPU');

/** Undefined where the record has no ioctls: user space was not looked at. */
export function ioctlLoop(record: RunRecord, index: number): IoctlLoop | undefined {
  const {calls, returned} = callsBefore(record, index);
  if (calls.size === 0 && record.events.firstOfKind('ioctl', 0) === undefined) return undefined;
  return {
    files: FILES.map(({level, name, madeBy}) => ({
      level,
      name,
      madeBy,
      isThere: madeBy === undefined || returned.has(madeBy),
      calls: [...calls.values()].filter(call => levelOf(call.name) === level),
    })),
    answered: record.header.engine === 'kvm' ? undefined : answeredBefore(record, index),
  };
}

function callsBefore(
  record: RunRecord,
  index: number,
): {readonly calls: ReadonlyMap<string, Calls[number]>; readonly returned: ReadonlySet<string>} {
  const calls = new Map<string, Calls[number]>();
  const returned = new Set<string>();
  for (const {step, event} of record.events.allOf('ioctl')) {
    if (step >= index) break;
    const {name} = event;
    const before = calls.get(name);
    if (event.direction === 'call') {
      calls.set(name, {name, count: (before?.count ?? 0) + 1, last: step, isUnderWay: true});
    } else {
      returned.add(name);
      if (before !== undefined) calls.set(name, {...before, isUnderWay: false});
    }
  }
  return {calls, returned};
}

function answeredBefore(record: RunRecord, index: number): NonNullable<IoctlLoop['answered']> {
  const answered = {kvm: 0, userSpace: 0};
  for (const {step, event} of record.events.allOf('exit-handled')) {
    if (step >= index) break;
    if (event.route === 'kvm') answered.kvm++;
    else answered.userSpace++;
  }
  return answered;
}
