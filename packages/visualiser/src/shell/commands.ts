// What each command of a key or a button does to the lab.

import {assertUnreachable} from '@hyperscope/base';
import type {TransportCommand} from '@hyperscope/elements';
import type {Command} from '../keys.js';
import type {LabController} from '../lab-controller.js';

/** The parts of the shell that commands open or toggle. */
export interface ShellParts {
  help(): void;
  askStep(): void;
  /** Opens the search and puts the cursor into it. */
  find(): void;
  togglePresent(): void;
  toggleBlackout(): void;
  realKvm(): void;
  edit(): void;
  compare(): void;
  scenarios(): void;
  switches(): void;
  /** Shows the inspector large, or as it was. */
  inspector(): void;
  /** Opens the machine of that number, counted from 1. */
  machine(number: number): void;
}

/** What may be done while the lab plays. */
const KEEPS_PLAYING: ReadonlySet<Command | TransportCommand> = new Set([
  'play',
  'slower',
  'faster',
  'help',
  'inspector',
]);

/** Carries out a command. */
export function perform(command: Command | TransportCommand, lab: LabController, parts: ShellParts): void {
  if (!KEEPS_PLAYING.has(command)) lab.pause();
  lab.time.cancelRun();
  switch (command) {
    case 'forward':
      return lab.step('forward');
    case 'back':
      return lab.step('back');
    case 'finer':
      return lab.changeGranularity(-1);
    case 'coarser':
      return lab.changeGranularity(1);
    case 'play':
      return lab.togglePlay();
    case 'next-exit':
      return lab.step('forward', lab.hasExits ? 'exit' : 'event');
    case 'next-ring':
      return lab.step('forward', 'ring');
    case 'next-mode':
      return lab.step('forward', 'mode');
    case 'previous-exit':
      return lab.step('back', lab.hasExits ? 'exit' : 'event');
    case 'previous-ring':
      return lab.step('back', 'ring');
    case 'previous-mode':
      return lab.step('back', 'mode');
    case 'run':
      return lab.time.run('forward');
    case 'run-back':
      return lab.time.run('back');
    case 'breakpoint':
      return lab.time.toggleBreakpointHere();
    case 'breakpoints':
      return lab.time.showBreakpoints();
    case 'find':
      return parts.find();
    case 'next-find':
      return lab.time.nextFind('forward');
    case 'previous-find':
      return lab.time.nextFind('back');
    case 'slower':
      return lab.time.changeSpeed(-1);
    case 'faster':
      return lab.time.changeSpeed(1);
    case 'first':
      return lab.seekStart();
    case 'last':
      return lab.seekEnd();
    case 'present':
      return parts.togglePresent();
    case 'blackout':
      return parts.toggleBlackout();
    case 'go-to':
      return parts.askStep();
    case 'help':
      return parts.help();
    case 'edit':
      return parts.edit();
    case 'compare':
      return parts.compare();
    case 'scenarios':
      return parts.scenarios();
    case 'inspector':
      return parts.inspector();
    case 'switches':
      return parts.switches();
    case 'real-kvm':
      return parts.realKvm();
    default:
      return isMachine(command) ? parts.machine(Number(command.slice('machine-'.length))) : assertUnreachable(command);
  }
}

function isMachine(command: string): command is `machine-${number}` {
  return command.startsWith('machine-');
}
