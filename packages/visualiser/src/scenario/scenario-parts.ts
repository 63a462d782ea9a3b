// What is loaded when somebody asks for a scenario.

import {SHIPPED, readScenario} from '@hyperscope/walkthroughs';
import type {Scenario} from '@hyperscope/walkthroughs';

export {NotesWindow} from './notes-window.js';
export {ScenarioPlayer} from './player.js';
export {ScenarioChooser} from './scenario-chooser.js';
export {ScenarioPanel} from './scenario-panel.js';

/** Those that ship; a test holds that each can be read. */
export function shippedScenarios(): readonly Scenario[] {
  return SHIPPED.flatMap(({name, text}) => {
    const read = readScenario(text, name);
    return read.ok ? [read.scenario] : [];
  });
}
