// Everything that is loaded when a panel that asks is first opened.

import './control-block-view.js';
import './inspection-view.js';
import './walk-view.js';
