// A version of an object that came over the wire: the object is whole already, its header is made when asked for.
// In the process api/stored's StoredObject plays this part.

import { type Header, headerOf } from '../api/stored.ts'
import type { AnyObject, Version } from './client.ts'

export function versionOf<T extends AnyObject>(object: T): Version<T> {
  let header: Header | undefined
  return {
    object,
    get header() {
      header ??= headerOf(object)
      return header
    },
  }
}
