/** What our own kernels for tfjs's wasm backend are made of. */
import { getKernel, registerKernel, unregisterKernel, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

/**
 * Runs one of the backend's kernels on tensors that the engine does not track; the caller disposes of the result with
 * `backend.disposeData`.
 */
export function callKernel(
  name: string,
  backend: BackendWasm,
  inputs: Record<string, TensorInfo>,
  attributes = {},
): TensorInfo {
  return getKernel(name, 'wasm').kernelFunc({ inputs, backend, attrs: attributes }) as TensorInfo;
}

/** The numbers of a tensor, in place: valid until the next allocation, which may move the heap. */
export function numbers(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** A tensor of these numbers. */
export function fromNumbers(backend: BackendWasm, shape: number[], values: Float32Array): TensorInfo {
  return backend.makeOutput(shape, 'float32', undefined, values);
}

/**
 * A tensor inside the memory of another, `offset` numbers from its start. It owns no memory.
 *
 * End it with {@link endWindow}: `disposeData` would free memory that belongs to the other tensor.
 */
export function openWindow(backend: BackendWasm, tensor: TensorInfo, offset: number, shape: number[]): TensorInfo {
  const bytes = offset * Float32Array.BYTES_PER_ELEMENT;
  return backend.makeOutput(shape, 'float32', backend.getMemoryOffset(tensor.dataId) + bytes);
}

export function endWindow(backend: BackendWasm, window: TensorInfo): void {
  backend.wasm.tfjs.disposeData(backend.dataIdMap.get(window.dataId).id);
  backend.dataIdMap.delete(window.dataId);
}

export function disposeAll(backend: BackendWasm, tensors: readonly TensorInfo[]): void {
  for (const { dataId } of tensors) backend.disposeData(dataId);
}

/** Registers a kernel for the wasm backend, in place of one of the same name. */
export function registerWasmKernel(kernelName: string, kernelFunc: KernelFunc): void {
  // Registering over another kernel prints a warning.
  if (getKernel(kernelName, 'wasm')) unregisterKernel(kernelName, 'wasm');
  registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
}
