#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace switchyard::host {

/// Every reason why a plugin is not taken, or not taken further. The sentences stand in
/// refusal.cpp.
enum class RefusalCode : std::uint8_t {
  // staged: the file and the place for its copy
  NoPluginDir,
  FileMissing,
  FileUnreadable,
  NotRegularFile,
  FileOwner,
  FileWritable,
  DirectoryOwner,
  DirectoryWritable,
  LinkOutside,
  FileEmpty,
  FileTooLarge,
  StagingUnusable,
  StagingNoExec,
  TrialUnusable,
  StagingFailed,
  PinDiffers,
  KeyUnusable,
  SignatureMissing,
  SignatureMalformed,
  SignatureWrong,
  // verified: what the file says of itself, without running it
  NotElf,
  Truncated,
  Malformed,
  WrongMachine,
  NotShared,
  NoManifest,
  TwoManifests,
  ManifestInvalid,
  WrongAbi,
  SymbolMissing,
  SymbolsExtra,
  UniqueSymbols,
  NoDelete,
  StaticTls,
  PrivateLibrary,
  IsolatedRequires,
  IsolatedProvides,
  IsolatedExclusive,
  // probed: a child process loads it and judges the configuration
  ProbeFailed,
  ProbeSignal,
  ProbeHang,
  ProbeExit,
  SymbolUndefined,
  LibraryMissing,
  LoadFailed,
  DescriptorInvalid,
  DescriptorDiffers,
  ConfigRefused,
  ConfigNotTaken,
  // in this process
  CallFailed,
  CallThrew,
  CallHung,
  InterfaceMissing,
  LeaseHeld,
  // between plugins and with plugins.toml
  TagReserved,
  RouteTaken,
  RouteUnknown,
  ListenerUnknown,
  ProviderMissing,
  ProviderTooOld,
  ProviderFailed,
  ProviderTwice,
  Cycle,
  // of a swap
  SwapUnderWay,
  SwapRelated,
  SwapRegistrant,
  SwapPinned,
  RetainedMax,
  GenerationsMax,
  TrialImpossible,
  TrialSilent,
  TrialClosed,
  TrialWrong,
  Unbound,
  NotExchanged,
  NotDrainedFirst,
  ExclusiveDiffers,
  StateUnreadable,
  PauseTooLong,
  NotGoneOn,
  LoopStuck,
  NotWell,
  ProcessEnded,
  TooManyErrors,
  NotRestarted,
  TakenBack,
  ServerEnds,
  ReloadUnderWay,
  ReloadExclusive,
  NotReloaded,
  NothingToTakeBack,
  Count
};

/// Why a plugin is refused: what, where and what to do about it, in one sentence for the operator.
struct Refusal {
  RefusalCode code{};
  std::string text;

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

template <class T>
using OrRefusal = boost::system::result<T, Refusal>;

/// `text` as it can stand in a line of the log and in JSON: control characters become blanks, bytes
/// that are no UTF-8 '?'.
[[nodiscard]] std::string clean(std::string_view text);

/// The sentence of `code` about `plugin` (its name in plugins.toml; empty: about no plugin), its
/// `{}` filled with `details`, cleaned, in order. The number of details is the number of `{}`.
[[nodiscard]] Refusal
refuse(RefusalCode code, std::string_view plugin, std::initializer_list<std::string_view> details);

} // namespace switchyard::host
