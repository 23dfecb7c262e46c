#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "apps/inspect/language.h"

namespace tapestry {

/// The terminal view's own words. phrases.cpp has them in each language.
enum class Phrase : u8 {
    None,
    // keys
    KeyNext,
    KeyBack,
    KeyTurn,
    KeyDrop,
    KeyHelp,
    KeyQuit,
    KeyLanguage,
    KeyFilter,
    KeyBreak,
    KeyTime,
    FirstKeys,
    FewKeys,
    // where the reader is
    StepOf,
    FilteredBy,
    StopsAt,
    BranchOf,
    BranchOfMany,
    InBranch,
    More,
    AnyKey,
    TooSmall,
    // what each end knows
    NoStateKnown,
    NoConnection,
    Yet,
    RtoTimer,
    // what happens, in one line
    Sends,
    Gets,
    FrameIs,
    Segment,
    Data,
    Brackets,
    Colon,
    Comma,
    Sentence,
    NotArrived,
    TimerGoesOff,
    ProgramAsks,
    ProgramIsTold,
    Learns,
    Refuses,
    PassesOnAs,
    // beside a lifeline
    RefusedNote,
    ArpArrives,
    Arrives,
    TimerNote,
    PassesOn,
    ChangesFields,
    // a frame's bytes
    BytesOfFrame,
    AtByte,
    AtBytes,
    // explanations
    AskedForAddress,
    ToldAddress,
    AProgramAsks,
    AProgramIsTold,
    NewSource,
    NewDestination,
    OneHopLess,
    SentAgain,
    WhatSyn,
    WhatSynAck,
    WhatFin,
    WhatRst,
    WhatData,
    WhatAck,
    OnItsWay,
    SegmentWaits,
    OftenWrong,
    RuleIs,
    ThisIs,
    // answers to keys
    NoSuchKey,
    LastStep,
    FirstStep,
    NoLaterTurn,
    NoEarlierTurn,
    NoFields,
    NotDropped,
    NothingToDrop,
    LostAnyway,
    DroppedHere,
    CaptureIsOver,
    KeptIsOver,
    ReplayIsFixed,
    NotTwice,
    OneTheme,
    ThemeDark,
    ThemeLight,
    ThemePlain,
    NoChinese,
    // filters, conditions, times
    AskFilter,
    AskBreak,
    AskTime,
    SuchAs,
    AskBreakAgain,
    AtColumn,
    HoldsNowhere,
    AllShown,
    SomeShown,
    NoBreak,
    WhichBreak,
    NoSuchBreak,
    BreakRemoved,
    BreaksAre,
    HereHolds,
    NowhereLater,
    WrongTime,
    RunIsOver,
    // what is wrong with a condition
    JoinMissing,
    TooDeep,
    ParenthesisMissing,
    NameMissing,
    ValueMissing,
    HasAValue,
    NoWord,
    NoValue,
    NoState,
    DidYouMean,
    kCount
};

/// In that language, with `{}` still in the places of what is filled in.
std::string_view phrase(Phrase phrase, Language language);
/// ... filled in: the next value for each "{}", the first for each "{0}".
std::string phrase(Phrase phrase, Language language, std::initializer_list<std::string> values);

}  // namespace tapestry
