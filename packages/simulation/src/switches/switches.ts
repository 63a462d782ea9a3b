// All switches: what is offered on a machine for a guest, and what those that were set come to.

import {UserError} from '@hyperscope/base';
import type {SwitchOffer, Switches} from '@hyperscope/trace';
import type {TechniqueOptions} from '@hyperscope/vmm';
import {CONTROL_PROGRAM_SWITCHES} from './control-program-switches.js';
import {BROKEN_CONTROLS, CONTROL_SWITCHES} from './control-switches.js';
import {FAULT_SWITCHES} from './fault-switches.js';
import {MACHINE_SWITCHES, processorSwitch} from './machine-switches.js';
import {NO_SETTINGS} from './switch.js';
import type {Settings, Switch, SwitchContext} from './switch.js';
import {TECHNIQUE_SWITCHES} from './technique-switches.js';

function switchesFor(context: SwitchContext): readonly Switch[] {
  return [
    processorSwitch(context),
    ...[
      ...MACHINE_SWITCHES,
      ...TECHNIQUE_SWITCHES,
      ...CONTROL_PROGRAM_SWITCHES,
      ...CONTROL_SWITCHES,
      ...BROKEN_CONTROLS,
      ...FAULT_SWITCHES,
    ].filter(each => each.isOffered(context)),
  ];
}

/** What can be set, in the order in which it is shown. */
export function offersFor(context: SwitchContext): readonly SwitchOffer[] {
  return switchesFor(context).map(({id, title, group, sentence, values, initial}) => ({
    id,
    title,
    group,
    sentence,
    values,
    initial,
  }));
}

export type SwitchedOptions = Partial<
  Pick<
    TechniqueOptions,
    | 'coalescedMmio'
    | 'controls'
    | 'costModel'
    | 'faults'
    | 'guestDebug'
    | 'hostInterrupt'
    | 'irqchip'
    | 'leafTables'
    | 'nestedPage'
    | 'profile'
    | 'rings'
    | 'sharing'
    | 'signal'
    | 'undecoded'
    | 'wrongField'
  >
>;

/**
 * The options that the switches make; `processor` is what the guest asks for where nobody chooses.
 * @throws UserError 'unknown-switch' for a name or a value that is not offered; it lists what there is.
 */
export function settle(context: SwitchContext, switches: Switches, processor: string | undefined): SwitchedOptions {
  const known = switchesFor(context);
  let settings = NO_SETTINGS;
  for (const [id, value] of Object.entries(switches)) {
    const found = known.find(each => each.id === id);
    if (found === undefined)
      throw new UserError(
        'unknown-switch',
        `There is no switch ${plain(id)} on ${context.technique.id}. There are: ${known.map(each => each.id).join(', ')}.`,
      );
    if (!found.values.some(each => each.id === value))
      throw new UserError(
        'unknown-switch',
        `${plain(value)} is no value of the switch ${id} on ${context.technique.id}. Choose one of: ${found.values.map(each => each.id).join(', ')}.`,
      );
    settings = found.set(value, settings);
  }
  return optionsOf(settings, processor);
}

/** A name that may come from a stranger's link, for a sentence. */
const plain = (text: string): string => (/^[\w/.+-]{1,40}$/.test(text) ? text : 'of this name');

function optionsOf(
  {features, faults, processor, controls, ...rest}: Settings,
  own: string | undefined,
): SwitchedOptions {
  const profile = [processor ?? own ?? '', ...features].join(',');
  return {
    ...rest,
    ...(profile === '' ? {} : {profile}),
    ...(controls === NO_SETTINGS.controls ? {} : {controls}),
    ...(faults.length === 0 ? {} : {faults: new Set(faults)}),
  };
}
