// What the comparison is made of, as one part of the page that is fetched when the first comparison is asked for.

export {CompareView, LineupWishEvent} from './compare-view.js';
export {isOfTheShell} from './comparison-keys.js';
export {performIn} from './comparison-commands.js';
export {LineupRun} from './lineup-run.js';
export {USUAL_LANES, plannedLanes} from './planned-lanes.js';
export {realLane} from './real-lane.js';
