// Replaces a function of a module by one that stands around it, and keeps everything that hangs on the old one.

export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

/** Does nothing when there is no such function in this version of Node. */
export function replace(target: object, name: string, around: (original: AnyFunction) => AnyFunction): void {
  const holder = target as Record<string, unknown>
  const original = holder[name]
  if (typeof original !== 'function') return
  const wrapper = around(original as AnyFunction)
  const { prototype: _, ...properties } = Object.getOwnPropertyDescriptors(original) as Record<
    string,
    PropertyDescriptor
  >
  Object.defineProperties(wrapper, properties)
  holder[name] = wrapper
}
