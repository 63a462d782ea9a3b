export {createApp, type AppOptions} from './app.js';
export {kvmOfThisMachine, type KvmHost} from './kvm-host.js';
export {KvmRecording, kvmOutcomeSentence, type RecordingSubject} from './kvm-recording.js';
export {serve, type RunningServer, type ServeOptions} from './serve.js';
