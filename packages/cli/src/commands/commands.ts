// Every command, in the order of the help.

import {ASM} from './asm.js';
import {CARD} from './card.js';
import {CLASSIFY} from './classify.js';
import type {Command} from './command.js';
import {COMPARE} from './compare.js';
import {COST} from './cost.js';
import {DISASM} from './disasm.js';
import {DOCTOR} from './doctor.js';
import {EXITS} from './exits.js';
import {FUZZ} from './fuzz.js';
import {GUESTS_COMMAND} from './guests.js';
import {OUTPUT} from './output.js';
import {RECORD} from './record.js';
import {RUN} from './run.js';
import {MEASURE} from './measure.js';
import {SCENARIO} from './scenario.js';
import {SERVE} from './serve.js';
import {SHOW} from './show.js';
import {VECTORS} from './vectors.js';

export const COMMANDS: readonly Command[] = [
  RUN,
  COMPARE,
  RECORD,
  SHOW,
  DOCTOR,
  EXITS,
  COST,
  OUTPUT,
  CLASSIFY,
  CARD,
  SCENARIO,
  GUESTS_COMMAND,
  ASM,
  DISASM,
  VECTORS,
  FUZZ,
  MEASURE,
  SERVE,
];
