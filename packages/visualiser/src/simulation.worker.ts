// placeholder until simulation exports
import {expose} from 'comlink';
import {SampleLab} from './fixture/sample-lab.js';
expose(new SampleLab());
