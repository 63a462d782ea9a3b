// What each command of a key or a button does to the lab.

import {assertUnreachable} from '@hyperscope/base';
import type {TransportCommand} from '@hyperscope/elements';
import type {Command} from '../keys.js';
import type {LabController} from '../lab-controller.js';

/** The parts of the shell that commands open or toggle. */
export interface ShellParts {
  help(): void;
  askStep(): void;
  togglePresent(): void;
  toggleBlackout(): void;
  realKvm(): void;
  edit(): void;
  compare(): void;
  scenarios(): void;
  switches(): void;
  /** Opens the machine of that number, counted from 1. */
  machine(number: number): void;
}

/** Carries out a command. */
export function perform(command: Command | TransportCommand, lab: LabController, parts: ShellParts): void {
  if (command !== 'play') lab.pause();
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
