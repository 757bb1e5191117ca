/**
 * The evaluation cannot be made, and the process that makes it is as it was: the outcome `failed`, with this reason.
 * After any other error the state of the process is unknown, and the worker is replaced.
 */
export class FailedError extends Error {
  override readonly name = 'FailedError';
}
