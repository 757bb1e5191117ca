import { join } from 'node:path';
import { projectRoot } from './steps.ts';

/** The virtual environment that `npm run setup:python` makes. */
export const PYTHON_FOLDER = join(projectRoot, '.python');
/** Its Python. */
export const PYTHON = join(
  PYTHON_FOLDER,
  ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']),
);
