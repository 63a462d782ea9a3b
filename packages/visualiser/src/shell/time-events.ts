// What the panels of time ask for, told to the lab.

import {BreakpointEvent, FindEvent, NextFindEvent, RunEvent, SelectEvent, SpeedEvent} from '@hyperscope/elements';
import type {LabController} from '../lab-controller.js';

/** Listens on the shell; `use` gives the lab once it is there. */
export function listenToTime(shell: HTMLElement, use: (ask: (lab: LabController) => void) => void): void {
  shell.addEventListener('hs-breakpoint', event => {
    if (event instanceof BreakpointEvent) use(lab => lab.time.toggleBreakpoint(event.detail));
  });
  shell.addEventListener('hs-open-breakpoints', () => use(lab => lab.time.showBreakpoints()));
  shell.addEventListener('hs-run', event => {
    if (event instanceof RunEvent) use(lab => lab.time.run(event.detail.direction));
  });
  shell.addEventListener('hs-find', event => {
    if (event instanceof FindEvent) use(lab => lab.time.find(event.detail.text));
  });
  shell.addEventListener('hs-next-find', event => {
    if (event instanceof NextFindEvent) use(lab => lab.time.nextFind(event.detail.direction));
  });
  shell.addEventListener('hs-close-finds', () => use(lab => lab.time.closeFinds()));
  shell.addEventListener('hs-select', event => {
    if (event instanceof SelectEvent) use(lab => lab.time.select(event.detail ?? undefined));
  });
  shell.addEventListener('hs-speed', event => {
    if (event instanceof SpeedEvent) use(lab => lab.time.setSpeed(event.detail));
  });
}
