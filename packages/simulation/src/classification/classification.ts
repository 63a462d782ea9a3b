// Both classifications side by side: what the recorded meaning says, and what the runs say. They have to agree; where one of
// them cannot see what the other does, that is written down with its reason (classification-exceptions.ts).

import {classify, recordMicrocode, recordStrictMicrocode} from '@hyperscope/isa';
import type {Classification, OpcodeForm} from '@hyperscope/isa';
import {WESTMERE, featuresOf} from '@hyperscope/machine';
import type {ProcessorProfile} from '@hyperscope/machine';
import {UserError} from '@hyperscope/base';
import {chooseProfile} from '@hyperscope/vmm';
import {knownDifference} from './classification-exceptions.js';
import {ExecutionClassifier, PROPERTIES} from './classify-by-execution.js';
import type {ExecutedClassification, Properties, Property} from './classify-by-execution.js';
import {INSTRUCTIONS} from './instruction-names.js';
import type {ClassifiedMode} from './state-layout.js';

export interface InstructionClass {
  /** `POPF`, `MOV Sreg, r/m` */
  readonly name: string;
  readonly mode: ClassifiedMode;
  /** `Pop Stack Into EFLAGS Register`. */
  readonly title: string;
  readonly source: string;
  readonly recorded: Properties;
  readonly executed: ExecutedClassification;
  /** What the recorded meaning makes the trap depend on: `CPL > IOPL`, `CR4.TSD = 1`. */
  readonly privilegedWhen: string | undefined;
  /** Where the methods differ. */
  readonly disagreements: readonly Property[];
  /** Those of them for which no reason is written down: mistakes. */
  readonly unexplained: readonly Property[];
  /** The class in one word, for a table. */
  readonly verdict: Verdict;
  /** The class in a sentence. */
  readonly sentence: string;
}

export type Verdict =
  | 'innocuous'
  | 'privileged'
  | 'privileged and sensitive'
  /** Sensitive and unprivileged by the letter, but it hands control to the system by itself. */
  | 'system call'
  /** Sensitive, and in user mode nobody is told. */
  | 'stealth'
  /** It never completed: on this processor it does not exist in this mode, or is meant to trap (UD2). */
  | 'always traps';

/**
 * The same on a processor as a run may choose one, `westmere` where none is chosen.
 * @throws UserError for a processor that does not exist, or that lacks the mode or what the samples are made with.
 */
export function classifyOn(
  processor: string | undefined,
  mode: ClassifiedMode,
  names?: Iterable<string>,
): {readonly processor: string; readonly classes: readonly InstructionClass[]} {
  const profile = chooseProfile(processor, WESTMERE);
  const features = featuresOf(profile);
  if (mode === 64 && !features.lm)
    throw new UserError('no-such-mode', `${profile.id} has no 64-bit mode. Choose --mode 32, or a later processor.`);
  if (!features.pse)
    throw new UserError(
      'no-such-mode',
      `${profile.id} has no large pages, which the states are made with. Choose the pentium or a later processor.`,
    );
  return {processor: profile.id, classes: classifyInstructions(profile, mode, names)};
}

/** Classifies instructions, all by default, twice. */
export function classifyInstructions(
  profile: ProcessorProfile,
  mode: ClassifiedMode,
  names: Iterable<string> = INSTRUCTIONS.keys(),
): readonly InstructionClass[] {
  const classifier = new ExecutionClassifier(profile, mode);
  const umip = featuresOf(profile).umip ? 'on' : 'off';
  const record = profile.strict ? recordStrictMicrocode : recordMicrocode;
  return [...names].flatMap(name => {
    const forms = INSTRUCTIONS.get(name) ?? [];
    const executed = classifier.classify(forms);
    if (executed === undefined) return [];
    const meanings = classifier.instructions(forms).map(instruction => classify(record(instruction), {umip}));
    return [instructionClass({name, mode, forms, executed, meanings})];
  });
}

interface Found {
  readonly name: string;
  readonly mode: ClassifiedMode;
  readonly forms: readonly OpcodeForm[];
  readonly executed: ExecutedClassification;
  readonly meanings: readonly Classification[];
}

function instructionClass({name, mode, forms, executed, meanings}: Found): InstructionClass {
  const recorded = recordedProperties(meanings);
  const [form] = forms;
  const disagreements =
    executed.pairs === 0 ? [] : PROPERTIES.filter(property => recorded[property] !== executed.properties[property]);
  return {
    name,
    mode,
    title: form?.title ?? '',
    source: form?.source ?? '',
    recorded,
    executed,
    privilegedWhen: meanings[0]?.privilegedWhen,
    disagreements,
    unexplained: disagreements.filter(
      property => knownDifference(name, mode, property)?.recorded !== recorded[property],
    ),
    verdict: executed.pairs === 0 ? 'always traps' : verdictOf(recorded),
    sentence:
      (meanings.find(each => each.stealth) ?? meanings.find(each => each.sensitive) ?? meanings[0])?.sentence ?? '',
  };
}

/** "Privileged" is about every state; the others need one. */
function recordedProperties(meanings: readonly Classification[]): Properties {
  return {
    privileged: meanings.length > 0 && meanings.every(each => each.privileged),
    controlSensitive: meanings.some(each => each.controlSensitive),
    modeSensitive: meanings.some(each => each.modeSensitive),
    locationSensitive: meanings.some(each => each.locationSensitive),
    userSensitive: meanings.some(each => each.userSensitive),
    systemCall: meanings.some(each => each.systemCall),
  };
}

export const isSensitive = (of: Properties): boolean => of.controlSensitive || of.modeSensitive || of.locationSensitive;

function verdictOf(of: Properties): Verdict {
  if (of.systemCall) return 'system call';
  if (of.privileged) return isSensitive(of) ? 'privileged and sensitive' : 'privileged';
  return isSensitive(of) ? 'stealth' : 'innocuous';
}
