#pragma once

#include <proto/consul/codec.hpp>
#include <proto/consul/groups.hpp>

namespace switchyard::consul {

// The fields of each group, within a structure S that embeds it.

template <class S>
inline constexpr std::array kRaftIndex{
    unsearched(field<S, &S::create_index>("CreateIndex")),
    unsearched(field<S, &S::modify_index>("ModifyIndex")),
};

template <class S>
inline constexpr std::array kWriteRequest{field<S, &S::token>("Token")};

template <class S>
inline constexpr std::array kQueryOptions{
    field<S, &S::token>("Token"),
    field<S, &S::min_query_index>("MinQueryIndex"),
    field<S, &S::max_query_time>("MaxQueryTime"),
    field<S, &S::allow_stale>("AllowStale"),
    field<S, &S::require_consistent>("RequireConsistent"),
    field<S, &S::filter>("Filter"),
    field<S, &S::use_cache>("UseCache"),
    field<S, &S::max_age>("MaxAge"),
    field<S, &S::must_revalidate>("MustRevalidate"),
    field<S, &S::max_stale_duration>("MaxStaleDuration"),
    field<S, &S::stale_if_error>("StaleIfError"),
};

template <class S>
inline constexpr std::array kQueryMeta{
    field<S, &S::index>("Index"),
    field<S, &S::last_contact>("LastContact"),
    field<S, &S::known_leader>("KnownLeader"),
    field<S, &S::consistency_level>("ConsistencyLevel"),
};

} // namespace switchyard::consul
