// A switch: what a page offers and what it does to a technique's options. Whatever comes of a setting comes from running with it.

import type {SwitchOffer} from '@hyperscope/trace';
import type {ControlChanges, DeliberateFault, Technique, TechniqueOptions, WrongField} from '@hyperscope/vmm';

/** For what a switch is offered. */
export interface SwitchContext {
  readonly technique: Pick<Technique, 'host' | 'id'>;
}

/** What the switches that were set come to. `faults` and `controls` grow; the rest is set once. */
export interface Settings {
  /** Id of a profile; the machine's own where absent. */
  readonly processor?: string;
  /** `+strict`, `-umip`. */
  readonly features: readonly string[];
  readonly costModel?: string;
  readonly nestedPage?: TechniqueOptions['nestedPage'];
  readonly leafTables?: TechniqueOptions['leafTables'];
  readonly coalescedMmio?: TechniqueOptions['coalescedMmio'];
  readonly rings?: TechniqueOptions['rings'];
  readonly sharing?: TechniqueOptions['sharing'];
  readonly irqchip?: TechniqueOptions['irqchip'];
  readonly signal?: TechniqueOptions['signal'];
  readonly guestDebug?: TechniqueOptions['guestDebug'];
  readonly controls: ControlChanges;
  readonly faults: readonly DeliberateFault[];
  readonly undecoded?: string;
  readonly wrongField?: WrongField;
  readonly hostInterrupt?: TechniqueOptions['hostInterrupt'];
}

const NOTHING = {on: [], off: []} as const;

export const NO_SETTINGS: Settings = {
  features: [],
  controls: {pin: NOTHING, primary: NOTHING, secondary: NOTHING, intercepts: NOTHING, exceptions: []},
  faults: [],
};

export interface Switch extends SwitchOffer {
  /** Whether it means something on this machine, with this guest. */
  isOffered(context: SwitchContext): boolean;
  /** The settings with a value of it; the initial one changes nothing. */
  set(value: string, settings: Settings): Settings;
}

const HARDWARE = {vtx: ['vtx-ept', 'vtx-shadow'], svm: ['svm-npt', 'svm-shadow']} as const;

/** The techniques that a switch is for, by what they have in common. */
export const on =
  (...ids: readonly string[]) =>
  ({technique}: SwitchContext): boolean =>
    ids.includes(technique.id);
export const onVtx = on(...HARDWARE.vtx);
export const onSvm = on(...HARDWARE.svm);
export const onHardware = on(...HARDWARE.vtx, ...HARDWARE.svm);
export const onShadow = on('vtx-shadow', 'svm-shadow', 'trap-and-emulate', 'binary-translation');

const ON_OFF = [
  {id: 'on', title: 'on'},
  {id: 'off', title: 'off'},
] as const;

/** A switch with two positions that does something in the one it does not stand in at first. */
export function toggle(
  about: Pick<Switch, 'group' | 'id' | 'isOffered' | 'sentence' | 'title'>,
  initial: 'off' | 'on',
  flip: (settings: Settings) => Settings,
): Switch {
  return {...about, values: ON_OFF, initial, set: (value, settings) => (value === initial ? settings : flip(settings))};
}

export const withFault =
  (fault: DeliberateFault) =>
  (settings: Settings): Settings => ({
    ...settings,
    faults: [...settings.faults, fault],
  });

/** Adds names to one of the lists of controls, or takes them out. */
export function withControls(
  settings: Settings,
  list: 'intercepts' | 'pin' | 'primary' | 'secondary',
  state: 'off' | 'on',
  names: readonly string[],
): Settings {
  const {controls} = settings;
  const change = controls[list];
  return {...settings, controls: {...controls, [list]: {...change, [state]: [...change[state], ...names]}}};
}
