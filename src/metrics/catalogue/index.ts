/** Every metric, declared once. */
export * from './cpu.ts';
export * from './net.ts';
export * from './conntrack.ts';
export * from './protocols.ts';
export * from './sockets.ts';
export * from './memory.ts';
export * from './ebpf.ts';
export * from './drops.ts';
export * from './owners.ts';
export * from './losses.ts';
export * from './baseline.ts';
export * from './page.ts';
export * from './profile.ts';
export * from './readers.ts';
export * from './kernellog.ts';
export * from './openvswitch.ts';
