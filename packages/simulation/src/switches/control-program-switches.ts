// How the control program shares its processor out, and which processor that is.

import {on} from './switch.js';
import type {Switch} from './switch.js';

const onControlProgram = on('control-program');

const sensitive: Switch = {
  id: 'sensitive',
  title: 'Sensitive instructions outside ring 0',
  group: 'processor',
  sentence:
    'Whether all of them trap, as on the System/360 Model 67, or some say nothing and do something else, as on x86.',
  values: [
    {id: 'trap', title: 'all trap'},
    {
      id: 'x86',
      title: 'as on x86',
      sentence: 'POPF leaves the virtual interrupt flag alone and tells nobody: who waits for cards waits for ever.',
    },
  ],
  initial: 'trap',
  isOffered: onControlProgram,
  set: (value, settings) => (value === 'x86' ? {...settings, processor: 'westmere'} : settings),
};

const QUANTA = [5000, 500_000] as const;

const quantum: Switch = {
  id: 'quantum',
  title: 'Cycles of a time slice',
  group: 'technique',
  sentence: 'After so many cycles the slice timer takes the processor away. What the guests print is the same for all.',
  values: [
    {id: '50000', title: '50,000'},
    {id: '5000', title: '5,000', sentence: 'Hands change often, and each change costs.'},
    {id: '500000', title: '500,000', sentence: 'Hands change where somebody waits.'},
  ],
  initial: '50000',
  isOffered: onControlProgram,
  set: (value, settings) => {
    const found = QUANTA.find(cycles => String(cycles) === value);
    return found === undefined ? settings : {...settings, sharing: {quantum: found}};
  },
};

export const CONTROL_PROGRAM_SWITCHES: readonly Switch[] = [sensitive, quantum];
