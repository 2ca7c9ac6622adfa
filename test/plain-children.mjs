// Loaded before each test file (.taprc): the programs that tests start run as they do for users.
// tap would add its own loaders to every child, and to the children of those, which a child without rights cannot read.

import processOnSpawn from 'process-on-spawn'

processOnSpawn.addListener((child) => {
  const env = { ...child.env }
  for (const name of Object.keys(env)) if (name.startsWith('_TAPJS_')) delete env[name]
  if (env.NODE_OPTIONS?.includes('@tapjs')) delete env.NODE_OPTIONS
  child.env = env
  return child
})
