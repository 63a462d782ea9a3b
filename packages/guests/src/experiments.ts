// Programs that answer one question each: what an operation costs, how often a guest is left, how many references a page walk
// makes. `hyperscope cost` and `hyperscope exits` run them. They print nothing; what they found is in registers or in the record.

import type {GuestOutline} from './guest.js';
import type {ProgramName} from './program-loading.generated.js';

type ExperimentId = Extract<ProgramName, `nano-${string}` | `page-${string}` | 'workloads'>;

const experiment = (
  id: ExperimentId,
  title: string,
  teaches: string,
  more: Partial<Pick<GuestOutline, 'irqchip' | 'memoryMiB' | 'mode' | 'needs'>> = {},
): GuestOutline => ({
  id,
  title,
  teaches,
  programs: [id],
  loadAddress: 0x8000,
  mode: 'long',
  memoryMiB: 2,
  expectedSerial: '',
  ...more,
});

export const EXPERIMENT_OUTLINES: readonly GuestOutline[] = [
  experiment('nano-syscall', 'Nanobenchmark: SYSCALL', 'What a system call costs, there and back.'),
  experiment('nano-cpuid', 'Nanobenchmark: CPUID', 'What an exit costs that KVM answers itself.'),
  experiment('nano-in', 'Nanobenchmark: IN', 'What reading a port costs.'),
  experiment('nano-cr8wr', 'Nanobenchmark: MOV to CR8', 'What changing the task priority costs.', {irqchip: 'kernel'}),
  experiment('nano-call-ret', 'Nanobenchmark: CALL and RET', 'What calling a subroutine costs.'),
  experiment('nano-pgfault', 'Nanobenchmark: page fault', 'What a page fault of the guest’s own costs.'),
  experiment('nano-divzero', 'Nanobenchmark: divide by zero', 'What an exception costs that is no page fault.'),
  experiment('nano-ptemod', 'Nanobenchmark: page-table write', 'What writing a page-table entry costs.'),
  experiment('nano-ptemod-clear', 'Nanobenchmark: unmapping a page', 'What making a page not present costs.'),
  experiment('nano-ptemod-set', 'Nanobenchmark: mapping a page', 'What making a page present costs.'),
  experiment(
    'page-table-edits',
    'Page-table edits',
    'A thousand changes of a page table, with and without INVLPG: who notices?',
  ),
  experiment(
    'page-table-edits-pv',
    'Page-table edits by hypercall',
    'The same under Xen: a hypercall for each change, for a hundred, for all. What does a batch save?',
    {mode: 'xen', needs: {technique: 'paravirtual', portOf: 'page-table-edits'}},
  ),
  experiment('page-walks', 'Page walks', 'One cold access by each size of page: how many references is that?', {
    memoryMiB: 8,
  }),
  experiment('workloads', 'Workloads', 'Computing, system calls, processes, page walks: who is slow at what?', {
    memoryMiB: 16,
  }),
];
