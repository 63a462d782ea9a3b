// The definitions of 1974, executed. An instruction is run in pairs of states that differ in one thing, and what comes of it is
// compared. Nothing here knows any instruction: what is known is which cells are M, R and the program's.
//   privileged          ⟨e,s,p,r⟩ and ⟨e,u,p,r⟩: it traps in the second and not in the first, in every pair tried
//   control sensitive   a state in which it completes and has changed m or r
//   mode sensitive      ⟨e,s,p,r⟩ and ⟨e,u,p,r⟩: it completes in both, and e or p differ afterwards
//   location sensitive  ⟨e,m,p,r⟩ and ⟨e,m,p,r⊕x⟩: the same
//   user sensitive      one of these, shown from a state with M = u
// Popek and Goldberg, "Formal Requirements for Virtualizable Third Generation Architectures", CACM 17(7), 1974, sections 3, 8.

import {hexBytes} from '@hyperscope/base';
import {disassemble} from '@hyperscope/isa';
import type {OpcodeForm} from '@hyperscope/isa';
import {announcedInstructions} from '@hyperscope/machine';
import type {ProcessorProfile} from '@hyperscope/machine';
import {samplesOf} from './instruction-samples.js';
import type {InstructionSample} from './instruction-samples.js';
import {LAYOUT} from './state-layout.js';
import type {ClassifiedMode} from './state-layout.js';
import {StatePairMachine, difference} from './state-pair-machine.js';
import type {StateOutcome} from './state-pair-machine.js';
import {baseCells, relocations} from './starting-states.js';
import type {ProcessorMode, Relocation} from './starting-states.js';

export const PROPERTIES = [
  'privileged',
  'controlSensitive',
  'modeSensitive',
  'locationSensitive',
  'userSensitive',
  'systemCall',
] as const;
export type Property = (typeof PROPERTIES)[number];
export type Properties = Readonly<Record<Property, boolean>>;

/** The pair of states (or the state) that showed something. */
export interface Witness {
  readonly shows: Property | 'unprivileged';
  /** The instruction as text, and its bytes. */
  readonly code: string;
  readonly bytes: string;
  /** `CPL 0 / CPL 3`, `CPL 3; IF is 1` */
  readonly states: string;
  /** `RAX: 8h / 1bh`; `#GP in the second`. */
  readonly difference: string;
}

export interface ExecutedClassification {
  readonly properties: Properties;
  readonly witnesses: readonly Witness[];
  /** Pairs of states in which it did not trap both times. 0: it always traps, so nothing was seen. */
  readonly pairs: number;
  readonly samples: number;
}

const EXCEPTION_NAMES: readonly string[] =
  '#DE #DB NMI #BP #OF #BR #UD #NM #DF #9 #TS #NP #SS #GP #PF #15 #MF #AC #MC #XM'.split(' ');

export class ExecutionClassifier {
  readonly #machine: StatePairMachine;
  readonly #relocations: readonly Relocation[];
  readonly #announced: ReturnType<typeof announcedInstructions>;
  readonly #mode: ClassifiedMode;

  /** The instructions of this processor, in 32-bit protected mode or 64-bit mode. */
  constructor(profile: ProcessorProfile, mode: ClassifiedMode) {
    this.#machine = new StatePairMachine(profile, mode);
    this.#relocations = relocations(profile, baseCells(profile, mode));
    this.#announced = announcedInstructions(profile);
    this.#mode = mode;
  }

  /** What the runs say of an instruction with these lines of the opcode table; undefined where the processor has none of them. */
  classify(forms: readonly OpcodeForm[]): ExecutedClassification | undefined {
    const present = forms.filter(({feature}) => feature === undefined || this.#announced.has(feature));
    const samples = present.flatMap(form => samplesOf(form, this.#mode, this.#announced));
    if (samples.length === 0) return undefined;
    const evidence = new Evidence();
    for (const sample of samples) this.#try(sample, evidence);
    this.#machine.unload();
    return evidence.verdict(samples.length);
  }

  /** The instructions of the samples, decoded: what the other method reads the meaning of. */
  instructions(forms: readonly OpcodeForm[]): readonly InstructionSample['instruction'][] {
    return forms.flatMap(form => samplesOf(form, this.#mode, this.#announced)).map(({instruction}) => instruction);
  }

  #try(sample: InstructionSample, evidence: Evidence): void {
    this.#machine.load(sample);
    const supervisor = this.#machine.run('supervisor');
    const user = this.#machine.run('user');
    evidence.pair(sample, supervisor, user);
    for (const [mode, outcome] of [
      ['supervisor', supervisor],
      ['user', user],
    ] as const) {
      evidence.state(sample, mode, undefined, outcome);
      if (outcome.ending === 'trap' && supervisor.ending !== 'trap') continue;
      for (const relocation of this.#relocations) {
        if (relocation.triedWith !== 'both' && relocation.triedWith !== sample.operands) continue;
        const relocated = this.#machine.run(mode, relocation);
        evidence.state(sample, mode, relocation, relocated);
        evidence.relocatedPair(sample, mode, relocation, outcome, relocated);
      }
    }
  }
}

/** What has been seen of one instruction. The first witness of each thing is kept. */
class Evidence {
  readonly #witnesses = new Map<Witness['shows'], Witness>();
  #pairs = 0;
  #entries = 0;

  pair(sample: InstructionSample, supervisor: StateOutcome, user: StateOutcome): void {
    if (supervisor.ending === 'unsupported' || user.ending === 'unsupported') return;
    const states = 'CPL 0 / CPL 3';
    if (user.ending !== 'trap') this.#show('unprivileged', sample, states, 'no trap in the second');
    if (supervisor.ending !== 'trap' || user.ending !== 'trap') this.#pairs++;
    if (supervisor.ending === 'trap') return;
    if (user.ending === 'trap')
      this.#show('privileged', sample, states, `${EXCEPTION_NAMES[user.vector ?? 0] ?? ''} in the second`);
    if (supervisor.ending !== 'completed' || user.ending !== 'completed') return;
    const found = difference(supervisor, user);
    if (found === undefined) return;
    this.#show('modeSensitive', sample, states, found);
    this.#show('userSensitive', sample, states, found);
  }

  state(
    sample: InstructionSample,
    mode: ProcessorMode,
    relocation: Relocation | undefined,
    outcome: StateOutcome,
  ): void {
    if (outcome.ending === 'entry') this.#entries++;
    const [change] = outcome.changed;
    if (outcome.ending === 'trap' || outcome.ending === 'unsupported' || change === undefined) return;
    const states = `${ring(mode)}${relocation === undefined ? '' : `; ${relocation.sentence}`}`;
    this.#show('controlSensitive', sample, states, change);
    if (mode === 'user') this.#show('userSensitive', sample, states, change);
  }

  relocatedPair(
    sample: InstructionSample,
    mode: ProcessorMode,
    relocation: Relocation,
    outcome: StateOutcome,
    relocated: StateOutcome,
  ): void {
    if (outcome.ending !== 'completed' || relocated.ending !== 'completed') return;
    const found = difference(outcome, relocated);
    if (found === undefined) return;
    const states = `${ring(mode)}, twice; in the second ${relocation.sentence}`;
    this.#show('locationSensitive', sample, states, found);
    if (mode === 'user') this.#show('userSensitive', sample, states, found);
  }

  verdict(samples: number): ExecutedClassification {
    const has = (what: Witness['shows']): boolean => this.#witnesses.has(what);
    return {
      properties: {
        privileged: has('privileged') && !has('unprivileged'),
        controlSensitive: has('controlSensitive'),
        modeSensitive: has('modeSensitive'),
        locationSensitive: has('locationSensitive'),
        userSensitive: has('userSensitive'),
        systemCall: this.#entries > 0,
      },
      witnesses: [...this.#witnesses.values()].filter(({shows}) => shows !== 'privileged' || !has('unprivileged')),
      pairs: this.#pairs,
      samples,
    };
  }

  #show(shows: Witness['shows'], {instruction}: InstructionSample, states: string, found: string): void {
    if (this.#witnesses.has(shows)) return;
    this.#witnesses.set(shows, {
      shows,
      code: disassemble(instruction, BigInt(LAYOUT.code)),
      bytes: hexBytes(instruction.bytes),
      states,
      difference: found,
    });
  }
}

const ring = (mode: ProcessorMode): string => (mode === 'supervisor' ? 'CPL 0' : 'CPL 3');
