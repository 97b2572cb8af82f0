// The machines that the lab emulates, by Debian's name of their architecture.

/**
 * `node`: as Node and koffi name it. `gnu`: the folder of its libraries. `cc`: what compiles the traffic makers, where the
 * machine's own compiler does not.
 */
export const ARCHITECTURES = {
  amd64: {
    node: 'x64',
    gnu: 'x86_64-linux-gnu',
    cc: undefined,
    qemu: 'qemu-system-x86_64',
    machine: ['-machine', 'q35', '-cpu', 'max'],
    console: 'ttyS0',
    // Nothing that a check compares may depend on how the emulated clock was judged.
    append: ['tsc=reliable'],
    packages: { 'qemu-system-x86_64': 'qemu-system-x86' },
  },
  arm64: {
    node: 'arm64',
    gnu: 'aarch64-linux-gnu',
    cc: 'aarch64-linux-gnu-gcc',
    qemu: 'qemu-system-aarch64',
    // Pointers are signed by a cheap hash: the architecture's own takes half the emulator's time.
    machine: ['-machine', 'virt,gic-version=3', '-cpu', 'max,pauth-impdef=on'],
    console: 'ttyAMA0',
    append: [],
    packages: {
      'qemu-system-aarch64': 'qemu-system-arm',
      'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross',
    },
  },
};
