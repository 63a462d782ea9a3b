// The half of the port's view that runs in the worker: it assembles the original, to know which of its lines are sensitive.

export {portView} from '@hyperscope/simulation';
