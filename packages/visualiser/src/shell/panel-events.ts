// What the panels ask of the lab: events in, calls out.

import {
  FollowEvent,
  GranularityEvent,
  SeekCycleEvent,
  SeekEvent,
  TransportEvent,
  WindowEvent,
} from '@hyperscope/elements';
import {LeaveComparisonEvent} from '../compare/leave-comparison.js';
import {TabEvent} from '../views/inspector.js';
import {isRunSource} from './editing.js';
import {ToolbarEvent, type ToolbarChoice} from './toolbar.js';

/** Whoever carries out what is asked. */
export interface PanelWishes {
  seek(index: number): void;
  seekCycle(cycle: number): void;
  /** The timeline wants a window, from cycle to cycle, in so many columns. */
  look(from: number, to: number, columns: number): void;
  perform(command: TransportEvent['detail']['command']): void;
  setGranularity(granularity: GranularityEvent['detail']['granularity']): void;
  showPanel(tab: TabEvent['detail']['tab']): void;
  follow(place: FollowEvent['detail']): void;
  leaveComparison(where: LeaveComparisonEvent['detail']): void;
  /** Undefined: the text as it ships. */
  runSource(source: string | undefined): void;
  choose(choice: ToolbarChoice): void;
}

export function listenToPanels(shell: EventTarget, wishes: PanelWishes): void {
  const hear = <E extends Event>(
    name: string,
    is: abstract new (...values: never[]) => E,
    carryOut: (event: E) => void,
  ): void => shell.addEventListener(name, event => event instanceof is && carryOut(event));
  hear('hs-seek', SeekEvent, ({detail}) => wishes.seek(detail.index));
  hear('hs-seek-cycle', SeekCycleEvent, ({detail}) => wishes.seekCycle(detail.cycle));
  hear('hs-window', WindowEvent, ({detail}) => wishes.look(detail.from, detail.to, detail.columns));
  hear('hs-transport', TransportEvent, ({detail}) => wishes.perform(detail.command));
  hear('hs-granularity', GranularityEvent, ({detail}) => wishes.setGranularity(detail.granularity));
  hear('hs-tab', TabEvent, ({detail}) => wishes.showPanel(detail.tab));
  hear('hs-follow', FollowEvent, ({detail}) => wishes.follow(detail));
  hear('hs-leave-comparison', LeaveComparisonEvent, ({detail}) => wishes.leaveComparison(detail));
  hear('hs-toolbar', ToolbarEvent, ({detail}) => wishes.choose(detail));
  hear('hs-run-source', CustomEvent, event => isRunSource(event) && wishes.runSource(event.detail.source));
}

/** Events that carry nothing, by their names. */
export function listenToWishes(shell: EventTarget, wishes: Readonly<Record<string, () => void>>): void {
  for (const [name, carryOut] of Object.entries(wishes)) shell.addEventListener(name, carryOut);
}
