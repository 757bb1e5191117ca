/** The part of libsvm-js that we use; the package has no types. */
declare module 'libsvm-js' {
  export interface Svm {
    train(samples: readonly (readonly number[])[], labels: readonly number[]): void;
    predict(samples: readonly (readonly number[])[]): number[];
    free(): void;
  }
  const loaded: Promise<new (options: { gamma: number; cost: number; quiet?: boolean }) => Svm>;
  export default loaded;
}
