export {createApp, type AppOptions} from './app.js';
export {childKvmHost} from './kvm-child-host.js';
export type {KvmAnswer, KvmHost, KvmRunRequest} from './kvm-host.js';
export {SerialPlayer, type Heard, type SerialScript} from './serial-player.js';
export type {RecordedOutcome, Recording, RecordingOptions} from './kvm-recording.js';
export {serve, type RunningServer, type ServeOptions} from './serve.js';
