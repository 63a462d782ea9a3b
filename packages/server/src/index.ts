export {createApp, type AppOptions} from './app.js';
export {kvmOfThisMachine, type KvmHost} from './kvm-host.js';
export {KvmRecording, kvmOutcomeSentence, type RecordingSubject} from './kvm-recording.js';
export {DEFAULT_LIMITS, withLimits, type ServerLimits} from './limits.js';
export {serve, type RunningServer, type ServeOptions} from './serve.js';
