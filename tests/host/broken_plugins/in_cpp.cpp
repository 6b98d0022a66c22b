// What fixture.c cannot say in C; called from its init().
#if defined(THROW_IN_INIT)
#include <stdexcept>
#endif
#include <unistd.h>

namespace {

#if defined(THREAD_LOCAL_OBJECT)
struct Object {
  int touched = 0;

  ~Object() {
    touched = -1;
#if defined(HANG_IN_THREAD_LOCAL)
    for (;;)
      ::pause();
#endif
  }
};

thread_local Object object;
#endif

} // namespace

#if defined(UNIQUE_SYMBOL)
template <class T>
struct __attribute__((visibility("default"))) Shared {
  static T state;
};

template <class T>
T Shared<T>::state{};
#endif

extern "C" void in_cpp() {
#if defined(THROW_IN_INIT)
  throw std::runtime_error{"bad luck"};
#elif defined(THREAD_LOCAL_OBJECT)
  ++object.touched;
#elif defined(UNIQUE_SYMBOL)
  ++Shared<int>::state;
#endif
}
