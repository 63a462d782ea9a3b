// Known departures of a host's KVM from hardware. Each is believed only where the fingerprint's probe saw it, begins to
// count only when the guest runs the instruction that shows it, and excuses no more than it must.

import {hex} from '@hyperscope/base';
import type {HostFingerprint} from '../record-format.js';
import type {RunRecord} from '../record/run-record.js';
import type {CellReader} from './guest-walk.js';
import type {InstructionFacts} from './instruction-facts.js';

export interface HostQuirk {
  readonly id: string;
  readonly probe: string;
  /** Whether the probe's answer, as text, shows the quirk. */
  readonly shows: (answer: string) => boolean;
  readonly triggers: (facts: InstructionFacts, ring: number, cells: CellReader) => boolean;
  /** What may differ from then on: these cells, these bits of RFLAGS; 'everything' when the runs are different programs afterwards. */
  readonly excuses: 'everything' | {readonly cells: readonly string[]; readonly flags: bigint};
  readonly sentence: string;
}

const IF = 1n << 9n;
const IOPL = 3n << 12n;
const NT = 1n << 14n;
const LME = 1n << 8n;
const DATA_SELECTORS = ['DS', 'ES', 'FS', 'GS'].flatMap(register => [`${register}.selector`, `${register}.base`]);

const HOST_QUIRKS: readonly HostQuirk[] = [
  {
    id: 'syscall-stays-in-ring-3',
    probe: 'cpl3_syscall',
    shows: answer => answer === 'stays-cpl3',
    triggers: (facts, ring) => facts.mnemonic === 'SYSCALL' && ring === 3,
    excuses: 'everything',
    sentence:
      'On this host SYSCALL in a 64-bit program jumps to LSTAR but stays in ring 3: what follows is run without the rights of the kernel.',
  },
  {
    id: 'ring-0-int-n',
    probe: 'cpl0_int_n',
    shows: answer => answer === 'INTERNAL_ERROR',
    triggers: facts => /^INT(1|3|O)?$/.test(facts.mnemonic),
    excuses: 'everything',
    sentence: 'This host’s KVM cannot emulate INT n: KVM_RUN ends with KVM_EXIT_INTERNAL_ERROR.',
  },
  {
    id: 'no-32-bit-paging',
    probe: 'paging32',
    shows: answer => answer === 'SHUTDOWN',
    triggers: (facts, _ring, cells) =>
      ((cells('EFER') ?? 0n) & LME) === 0n &&
      facts.mnemonic === 'MOV' &&
      facts.instruction.codeSize === 32 &&
      facts.instruction.operands[0]?.kind === 'control' &&
      facts.instruction.operands[0].number === 0,
    excuses: 'everything',
    sentence: 'This host’s KVM supports paging only in long mode: switching it on from 32-bit code ends the guest.',
  },
  {
    id: 'ring-3-host-selectors',
    probe: 'cpl3_ds_selector',
    shows: answer => hexadecimal(answer) === 0n,
    triggers: (facts, ring) => ring === 3 || facts.mnemonic.startsWith('IRET') || facts.mnemonic === 'SYSRET',
    excuses: {cells: [...DATA_SELECTORS, 'SS.selector', 'SS.base'], flags: 0n},
    sentence:
      'On this host a 64-bit program runs natively with the host’s segments, and IRETQ to ring 3 keeps data selectors that hardware would null.',
  },
  {
    id: 'ring-3-if-is-1',
    probe: 'cpl3_pushf_if0',
    shows: answer => ((hexadecimal(answer) ?? 0n) & IF) !== 0n,
    triggers: (_facts, ring) => ring === 3,
    excuses: {cells: [], flags: IF | IOPL | NT},
    sentence: 'On this host a 64-bit program runs with IF = 1, IOPL = 0 and NT = 0, whatever the guest’s flags say.',
  },
];

/** The quirks that a fingerprint shows; none for a simulated run. */
function quirksOf(host: HostFingerprint | undefined): readonly HostQuirk[] {
  if (host === undefined) return [];
  return HOST_QUIRKS.filter(({probe, shows}) => {
    const answer = host.probes[probe];
    return answer !== undefined && shows(String(answer));
  });
}

/** Those of the host that a run was made on, and what the run itself shows where its host was seen to have it. */
export function quirksOfRun(record: RunRecord): readonly HostQuirk[] {
  const known = quirksOf(record.header.host);
  const end = record.header.host?.probes['cpl0_sse'] === 'INTERNAL_ERROR' ? whereGivenUp(record) : undefined;
  return end === undefined ? known : [...known, givenUpAt(end)];
}

/** RIP of the instruction that KVM could not emulate, which then is the last step of the run. */
function whereGivenUp(record: RunRecord): bigint | undefined {
  const last = record.length - 1;
  const isGivenUp = record
    .eventsOf(last)
    .some(event => event.kind === 'kvm-exit' && event.exit.reason === 'internal-error' && event.exit.suberror === 1);
  return isGivenUp ? record.columns.rip(last) : undefined;
}

const givenUpAt = (rip: bigint): HostQuirk => ({
  id: 'ring-0-emulation',
  probe: 'cpl0_sse',
  shows: answer => answer === 'INTERNAL_ERROR',
  triggers: (_facts, _ring, cells) => cells('RIP') === rip,
  excuses: 'everything',
  sentence:
    `This host’s KVM runs ring 0 in its instruction emulator, and that lacks the instruction at ${hex(rip)}: the real run ends ` +
    'there, with KVM_EXIT_INTERNAL_ERROR.',
});

/** Probes write values in hexadecimal, with or without 0x. */
function hexadecimal(answer: string): bigint | undefined {
  return /^(0x)?[0-9a-f]{1,16}$/i.test(answer) ? BigInt(answer.startsWith('0x') ? answer : `0x${answer}`) : undefined;
}
