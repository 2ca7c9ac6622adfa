// The preload of a container of a Node image: loaded with --import before the program, in its workers and children too.
// Each part patches one thing of Node's; what they need comes from the actor as a file and over the channel.

import { syncBuiltinESMExports } from 'node:module'
import { Channel } from './channel.ts'
import { patchChildren } from './children.ts'
import { readConfig } from './config.ts'
import { patchConnect } from './connect.ts'
import { patchDatabases } from './databases.ts'
import { createFictive } from './fictive.ts'
import { patchFiles } from './files.ts'
import { patchListen } from './listen.ts'
import { patchModules } from './modules.ts'
import { patchNames } from './names.ts'
import { PathMap } from './path-map.ts'

const config = readConfig(import.meta.url)
const paths = new PathMap(config)
const channel = new Channel(config)
const fictive = createFictive(config.networks)

patchFiles(paths)
patchModules(paths)
patchDatabases(paths)
patchChildren(paths, import.meta.url)
patchNames(channel, config.hostname)
patchListen(channel, fictive)
patchConnect(channel, fictive)
// So that `import { readFile } from 'node:fs'` gets the patched ones.
syncBuiltinESMExports()
