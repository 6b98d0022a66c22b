#pragma once

#include <proto/consul/groups.hpp>
#include <proto/consul/structure.hpp>
#include <proto/consul/value.hpp>

namespace switchyard::consul {

/// A Vivaldi coordinate as serf has it; all in seconds.
struct NetworkCoordinate {
  double adjustment = 0;
  double error = 0;
  double height = 0;
  List<double> vec;

  static Structure structure();
  friend bool operator==(const NetworkCoordinate&, const NetworkCoordinate&) = default;
};

struct Coordinate {
  std::string node;
  std::string segment;
  std::optional<NetworkCoordinate> coord;

  static Structure structure();
  friend bool operator==(const Coordinate&, const Coordinate&) = default;
};

struct CoordinateUpdateRequest : WriteRequest {
  std::string datacenter;
  std::string node;
  std::string segment;
  std::optional<NetworkCoordinate> coord;

  static Structure structure();
  friend bool operator==(const CoordinateUpdateRequest&, const CoordinateUpdateRequest&) = default;
};

struct DatacenterMap {
  std::string datacenter;
  std::string area_id;
  List<Coordinate> coordinates;

  static Structure structure();
  friend bool operator==(const DatacenterMap&, const DatacenterMap&) = default;
};

struct IndexedCoordinates : QueryMeta {
  List<Coordinate> coordinates;

  static Structure structure();
  friend bool operator==(const IndexedCoordinates&, const IndexedCoordinates&) = default;
};

} // namespace switchyard::consul
