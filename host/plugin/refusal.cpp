#include <host/plugin/refusal.hpp>

#include <boost/assert.hpp>

#include <array>

namespace switchyard::host {
namespace {

struct Sentence {
  RefusalCode code;
  std::string_view pattern;
};

using enum RefusalCode;

constexpr std::array kSentences{
    Sentence{
        NoPluginDir,
        "library \"{}\" is a bare name, but {} has no plugin_dir under [host]: set it, or give a "
        "path"},
    Sentence{FileMissing, "{} does not exist: install it, or correct library at {}"},
    Sentence{FileUnreadable, "{} cannot be read: {}"},
    Sentence{NotRegularFile, "{} is not a regular file: library names a shared object"},
    Sentence{
        FileOwner,
        "{} belongs to user {}: a plugin belongs to root or to the user of this process, {}"},
    Sentence{
        FileWritable,
        "{} can be written by others than its owner (mode {}): take that away with chmod go-w"},
    Sentence{
        DirectoryOwner,
        "the directory {} belongs to user {}: the directory of a plugin belongs to root or to the "
        "user of this process, {}"},
    Sentence{
        DirectoryWritable,
        "the directory {} can be written by everybody (mode {}): take that away with chmod o-w"},
    Sentence{
        LinkOutside,
        "{} is a symbolic link out of its directory, to {}: put the file itself there, or name the "
        "other path"},
    Sentence{FileEmpty, "{} is empty: copy it again"},
    Sentence{FileTooLarge, "{} has {} bytes, more than the {} that a plugin can have"},
    Sentence{
        StagingUnusable,
        "{}, where copies of plugins are kept, cannot be used: {}: correct data_dir under [host]"},
    Sentence{
        StagingNoExec,
        "{} is on a file system without the right to execute (noexec), so that no plugin can be "
        "loaded from there: move data_dir under [host]"},
    Sentence{
        TrialUnusable,
        "{}, where copies of plugins are kept for a trial, cannot be used: {}: set TMPDIR to a "
        "directory that can"},
    Sentence{StagingFailed, "{} cannot be copied to {}: {}"},
    Sentence{
        PinDiffers,
        "{} has sha256 {}, but at {} sha256 says {}: install the file that is meant, or correct "
        "that"},
    Sentence{KeyUnusable, "key {} of host.trusted_keys cannot be used: {}"},
    Sentence{
        SignatureMissing,
        "{} is not signed, and host.trusted_keys asks for that: put its signature at {}.sig"},
    Sentence{SignatureMalformed, "{}.sig is no Ed25519 signature: it has {} bytes and not {}"},
    Sentence{
        SignatureWrong,
        "{} is not what any key of host.trusted_keys has signed: it has changed since, or another "
        "key signed it"},

    Sentence{NotElf, "{} is not an ELF file: library names a shared object (.so)"},
    Sentence{
        Truncated,
        "{} has {} bytes where its headers speak of {}: it is cut off or half copied, copy it "
        "again"},
    Sentence{Malformed, "{} has a broken {}: build it again"},
    Sentence{WrongMachine, "{} was built for {}, this host runs on {}: build it for that"},
    Sentence{NotShared, "{} is {} and not a shared object: link it with -shared"},
    Sentence{
        NoManifest,
        "{} carries no manifest (an ELF note \"switchyard\"): build it with "
        "switchyard_add_plugin(), "
        "or say SY_MANIFEST_NOTE once"},
    Sentence{TwoManifests, "{} carries {} manifests: say SY_MANIFEST_NOTE once"},
    Sentence{ManifestInvalid, "{} carries a wrong manifest: {}"},
    Sentence{
        WrongAbi,
        "{} was built for switchyard ABI {}, this host speaks {}: rebuild it with the SDK of this "
        "host"},
    Sentence{
        SymbolMissing,
        "{} does not export switchyard_plugin_v0: define it with SY_EXPORT and link with the "
        "version "
        "script of the SDK"},
    Sentence{
        SymbolsExtra,
        "{} exports {} besides switchyard_plugin_v0: link it with the version script of the SDK, "
        "or "
        "run it with isolation = \"process\""},
    Sentence{
        UniqueSymbols,
        "{} has unique symbols ({}), which keep it in memory and share its state with its next "
        "version: compile it with -fno-gnu-unique and link it with the version script of the SDK, "
        "or run it with isolation = \"process\""},
    Sentence{
        NoDelete,
        "{} asks never to be unloaded (DF_1_NODELETE): link it without -z nodelete, or run it with "
        "isolation = \"process\""},
    Sentence{
        StaticTls,
        "{} uses static TLS (DF_STATIC_TLS), of which a process has too little for many loads: "
        "compile it with -fPIC and without -ftls-model=initial-exec, or run it with isolation = "
        "\"process\""},
    Sentence{
        PrivateLibrary,
        "{} needs {}, which is not one of the libraries that the host shares with plugins: link it "
        "statically, or run the plugin with isolation = \"process\""},
    Sentence{
        IsolatedRequires,
        "requires {} of another plugin, which cannot be reached from a process of its own: take "
        "isolation = \"process\" at {} away"},
    Sentence{
        IsolatedProvides,
        "provides {} to other plugins, which cannot reach it in a process of its own: take "
        "isolation = \"process\" at {} away"},
    Sentence{
        IsolatedExclusive,
        "is exclusive, and what it holds cannot be handed over between processes: take isolation = "
        "\"process\" at {} away"},

    Sentence{ProbeFailed, "its trial process cannot be started: {}"},
    Sentence{ProbeSignal, "{} crashed its trial process {} (signal {}, {}){}"},
    Sentence{ProbeHang, "{} hung its trial process {} for {}{}"},
    Sentence{ProbeExit, "{} ended its trial process {} (exit code {}){}"},
    Sentence{
        SymbolUndefined,
        "{} cannot be loaded: nothing it needs defines {}: link it with -z defs to see this when "
        "it "
        "is built"},
    Sentence{LibraryMissing, "{} cannot be loaded: {} is missing: install its package"},
    Sentence{LoadFailed, "{} cannot be loaded: {}"},
    Sentence{DescriptorInvalid, "{} has a wrong descriptor: {}"},
    Sentence{
        DescriptorDiffers,
        "{} says {} \"{}\" in its descriptor and \"{}\" in its manifest: make both out of one "
        "manifest.json"},
    Sentence{ConfigRefused, "does not take its config at {}: {}"},
    Sentence{ConfigNotTaken, "takes no config, but {} gives it one: remove that"},

    Sentence{CallFailed, "{} failed: {}"},
    Sentence{CallThrew, "an exception left {}: {}"},
    Sentence{
        CallHung,
        "{} did not return within {}: its thread is given up and its code stays in memory"},
    Sentence{
        InterfaceMissing,
        "does not give the table of {}, which its manifest provides: return it "
        "from query()"},
    Sentence{
        LeaseHeld,
        "{} cannot pass to it: plugin {} still calls the generation before the last one"},

    Sentence{
        TagReserved,
        "protocol {} claims tag {} at {}, which means TLS: give it another one than 3 and 20 to "
        "23"},
    Sentence{
        RouteTaken,
        "{} of protocol {} at {} is taken by protocol {} of plugin {} at {}: give one of them "
        "another with [[plugin.NAME.route]]"},
    Sentence{RouteUnknown, "{} routes protocol \"{}\", which is none of its own: it has {}"},
    Sentence{
        ListenerUnknown,
        "{}: listener {} speaks protocol \"{}\", which no plugin has: there is {}"},
    Sentence{ProviderMissing, "requires {}, which no plugin in {} provides: add one that does"},
    Sentence{
        ProviderTooOld,
        "requires {} with minor {}, but plugin {} provides minor {}: upgrade that one"},
    Sentence{ProviderFailed, "requires {} of plugin {}, which does not serve"},
    Sentence{ProviderTwice, "provides {}, which plugin {} provides already: enable one of them"},
    Sentence{
        Cycle, "requires itself through others ({}): one of these requirements has to be optional"},

    Sentence{SwapUnderWay, "is being swapped already: wait until that has ended"},
    Sentence{
        SwapRelated,
        "shares interfaces with plugin {}, which {}: one of them at a time, wait until that has "
        "ended"},
    Sentence{
        SwapRegistrant,
        "has registered something with {}, whose provider cannot exchange it: restart the server "
        "with its new version"},
    Sentence{
        SwapPinned,
        "provides {} to plugin {}, which wants it pinned: stop that one first, or restart the "
        "server"},
    Sentence{
        RetainedMax,
        "has left the code of {} generations in memory: restart the server before its next swap"},
    Sentence{
        GenerationsMax,
        "has {} generations and swap.generations is {}: wait until one has left ({})"},
    Sentence{
        TrialImpossible,
        "has no socket for a trial connection of protocol {}: raise the limit of open files"},
    Sentence{
        TrialSilent, "generation {} did not answer a trial connection of protocol {} within {}"},
    Sentence{
        TrialClosed,
        "generation {} closed a trial connection of protocol {} without an answer: its log may say "
        "why"},
    Sentence{
        TrialWrong,
        "generation {} answered a trial connection of protocol {} with {} bytes that are not what "
        "its manifest promises: {}"},
    Sentence{Unbound, "does not take what is registered with it: {}"},
    Sentence{NotExchanged, "what it registers is not taken: {}"},
    Sentence{
        NotDrainedFirst,
        "cannot pass {} on: plugin {} holds a lease on it and wants to let go of it first"},
    Sentence{
        ExclusiveDiffers,
        "version {} is not exclusive where the one before is, or the other way round: restart the "
        "server with it"},
    Sentence{
        StateUnreadable,
        "hands over in no format that version {} reads (it writes {}): swap to a version between "
        "them first"},
    Sentence{PauseTooLong, "nobody served for {} while it was handed over, and swap.pause is {}"},
    Sentence{
        NotGoneOn, "generation {} cannot go on, either: {}: restart the server; before that: {}"},
    Sentence{LoopStuck, "cannot begin to serve: {}"},
    Sentence{NotWell, "generation {} was not well {} after the flip: {}"},
    Sentence{ProcessEnded, "the process of generation {} had ended {} after the flip: {}"},
    Sentence{
        TooManyErrors,
        "generation {} failed {} of its {} connections within {} of the flip, and swap.errors is "
        "{} "
        "in a hundred"},
    Sentence{NotRestarted, "plugin {}, which is restarted with it, was not: {}"},
    Sentence{TakenBack, "generation {} was taken back"},
    Sentence{ServerEnds, "is not swapped: the server stops"},
    Sentence{
        ReloadUnderWay,
        "is not swapped: a reload of the configuration is under way, wait until that has ended"},
    Sentence{
        ReloadExclusive,
        "is exclusive, like plugin {}, which is to change too, and a reload hands over one of "
        "them: "
        "reload with the change of one, then with that of the other"},
    Sentence{NotReloaded, "does not follow the configuration: {}"},
    Sentence{
        NothingToTakeBack,
        "has no version to go back to: none with other bytes is kept that served before it"},
};

static_assert(kSentences.size() == static_cast<std::size_t>(Count), "one sentence for each code");

constexpr bool in_order() {
  for (std::size_t at = 0; at < kSentences.size(); ++at) {
    if (static_cast<std::size_t>(kSentences[at].code) != at) return false;
  }
  return true;
}

static_assert(in_order());

/// Bytes of the character that `text` begins with; 0 when that is not UTF-8. Source: RFC 3629, 4.
std::size_t character_size(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto first = at(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  // Neither longer than need be, nor a surrogate, nor beyond U+10FFFF.
  const auto least = first == 0xe0 ? 0xa0U : first == 0xf0 ? 0x90U : 0x80U;
  const auto most = first == 0xed ? 0x9fU : first == 0xf4 ? 0x8fU : 0xbfU;
  if (at(1) < least || at(1) > most) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((at(i) & 0xc0U) != 0x80) return 0;
  }
  return size;
}

void append_clean(std::string& text, std::string_view detail) {
  while (!detail.empty()) {
    const auto size = character_size(detail);
    if (size == 0) {
      text += '?';
    } else if (static_cast<unsigned char>(detail[0]) < 0x20 || detail[0] == 0x7f) {
      text += ' ';
    } else {
      text += detail.substr(0, size);
    }
    detail.remove_prefix(size == 0 ? 1 : size);
  }
}

} // namespace

std::string clean(std::string_view text) {
  std::string cleaned;
  append_clean(cleaned, text);
  return cleaned;
}

Refusal
refuse(RefusalCode code, std::string_view plugin, std::initializer_list<std::string_view> details) {
  Refusal refusal{code, {}};
  if (!plugin.empty()) {
    refusal.text = "plugin ";
    append_clean(refusal.text, plugin);
    refusal.text += ": ";
  }

  const auto* detail = details.begin();
  auto rest = kSentences[static_cast<std::size_t>(code)].pattern;
  for (auto at = rest.find("{}"); at != std::string_view::npos; at = rest.find("{}")) {
    BOOST_ASSERT(detail != details.end());
    refusal.text += rest.substr(0, at);
    append_clean(refusal.text, *detail++);
    rest.remove_prefix(at + 2);
  }
  BOOST_ASSERT(detail == details.end());
  refusal.text += rest;
  return refusal;
}

} // namespace switchyard::host
