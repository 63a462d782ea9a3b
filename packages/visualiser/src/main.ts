// The page. The simulation lives in a worker, so that nothing it does can hold the page up.

import {bootLab} from './boot.js';
import {keepForOffline} from './offline/register.js';

bootLab(() => new Worker(new URL('./simulation.worker.ts', import.meta.url), {type: 'module'}));
if (import.meta.env.PROD) void keepForOffline(document.querySelector('hs-lab'));
