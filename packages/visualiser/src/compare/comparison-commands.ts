// What each command of a key does to machines that are compared.

import type {Command} from '../keys.js';
import {keepsPlaying} from './comparison-keys.js';
import type {LineupRun} from './lineup-run.js';
import {REAL} from './planned-lanes.js';

/** Carries out a command; one that has no sense here does nothing. */
export function performIn(run: LineupRun, command: Command): void {
  if (!keepsPlaying(command)) run.playing.pause();
  const {instruction, instructions, lanes, chosen} = run.state;
  const choose = (row: number): void => {
    const lane = lanes[row];
    if (lane !== undefined) run.choose(lane.id);
  };
  const row = lanes.findIndex(({id}) => id === chosen);
  switch (command) {
    case 'forward':
      return run.go(instruction + 1);
    case 'back':
      return run.go(instruction - 1);
    case 'first':
      return run.go(0);
    case 'last':
      return run.go(instructions);
    case 'play':
      return run.playing.toggle();
    case 'slower':
      return run.playing.changeSpeed(-1);
    case 'faster':
      return run.playing.changeSpeed(1);
    case 'next-exit':
      return void run.goBeside('exit', 'forward');
    case 'previous-exit':
      return void run.goBeside('exit', 'back');
    case 'next-ring':
      return void run.goBeside('ring', 'forward');
    case 'previous-ring':
      return void run.goBeside('ring', 'back');
    case 'next-mode':
      return void run.goBeside('mode', 'forward');
    case 'previous-mode':
      return void run.goBeside('mode', 'back');
    case 'run':
      return run.goWrong('forward');
    case 'run-back':
      return run.goWrong('back');
    case 'coarser':
      return choose((row - 1 + lanes.length) % lanes.length);
    case 'finer':
      return choose((row + 1) % lanes.length);
    case 'real-kvm':
      return run.choose(REAL);
    default:
      if (command.startsWith('machine-')) choose(Number(command.slice('machine-'.length)) - 1);
  }
}
